import { SheetCursor, type AggregateBatch, type SheetLevel } from '@meterflow/aggregates';
import {
  encodeSheet,
  judgeSheet,
  WindowTally,
  type AggregateWrite,
  type OutcomeCounts,
} from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import { PermanentError } from '@meterflow/stage';
import type { RowChange, Table } from '../client/table.ts';
import { Turns } from '../client/turns.ts';
import type { LedgerRows } from '../ledger/ledger-rows.ts';
import { seriesPrefix, tenantKey } from '../rows/series-key.ts';
import type { Tombstones } from '../rows/tombstones.ts';
import { SheetRows } from './sheet-rows.ts';
import { sheetsWithin, startMsMax, withPeriod } from './sheet-cell.ts';

export interface AggregateWriterParts {
  readonly table: Table;
  readonly ledger: LedgerRows;
  readonly tombstones: Tombstones;
}

/** Sheets of one read. */
const gatheredSheetsMax = 8_000;

/**
 * Writes groups of batches of sheets. Several groups may be under way at the same time; they are judged and put one
 * after the other, so that within one process outcomes are exact.
 */
export class AggregateWriter {
  readonly #parts: AggregateWriterParts;
  readonly #turns = new Turns();

  constructor(parts: AggregateWriterParts) {
    this.#parts = parts;
  }

  async write(writes: readonly AggregateWrite[]): Promise<OutcomeCounts[]> {
    const outcomes: OutcomeCounts[] = [];
    let from = 0;
    while (from < writes.length) {
      const first = writes[from] as AggregateWrite;
      let sheets = 0;
      let to = from;
      while (to < writes.length && sheets < gatheredSheetsMax && writes[to]?.batch.level === first.batch.level) {
        sheets += (writes[to] as AggregateWrite).batch.sheets.rows.length;
        to += 1;
      }
      outcomes.push(...(await this.#writeGathered(first.batch.level, writes.slice(from, to))));
      from = to;
    }
    return outcomes;
  }

  /**
   * 1. What is there; 2. the sheets of higher tickets, each in one change with the deletes of just those that were read
   * and that it outranks; 3. the ledger. Two writers at once leave both sheets: readers take the higher ticket, and the
   * next write tidies up.
   */
  async #writeGathered(level: SheetLevel, writes: readonly AggregateWrite[]): Promise<OutcomeCounts[]> {
    const tallies = await this.#turns.take(() => this.#judgeAndPut(level, writes));
    // 3.
    await this.#parts.ledger.addAggregates(
      writes.map(({ key, batch }, index) => {
        const { hours, whole } = tallies[index] as WindowTally;
        const day = [
          { layer: 'hour' as const, counts: hours },
          { layer: 'day' as const, counts: whole },
        ];
        const layers = level === 'day' ? day : [{ layer: 'month' as const, counts: whole }];
        return { writeKey: key, causes: batch.causes, layers };
      }),
    );
    return tallies.map(({ all }) => all);
  }

  async #judgeAndPut(level: SheetLevel, writes: readonly AggregateWrite[]): Promise<WindowTally[]> {
    // 1.
    const { rows, erasedTo } = await this.#stored(level, writes);
    const tallies: WindowTally[] = [];
    for (const { batch } of writes) {
      tallies.push(await this.#judge(batch, rows, erasedTo));
    }
    // 2.
    const changes: readonly RowChange[] = rows.changes();
    await this.#parts.table.mutate(changes);
    return tallies;
  }

  async #stored(
    level: SheetLevel,
    writes: readonly AggregateWrite[],
  ): Promise<{ readonly rows: SheetRows; readonly erasedTo: ReadonlyMap<string, { all: number; newest: number }> }> {
    const { table, tombstones } = this.#parts;
    const rows = new SheetRows(level);
    let fromMs = startMsMax;
    let toMs = 0;
    for (const { batch } of writes) {
      for (const startMs of batch.sheets.startMs) {
        fromMs = Math.min(fromMs, startMs);
        toMs = Math.max(toMs, startMs);
      }
      eachSheet(batch, (key) => {
        rows.touch(key);
      });
    }
    const tenants = new Map(writes.map(({ batch }) => [tenantKey(batch.tenant).toString('latin1'), batch.tenant]));
    const keys = [...rows.keys, ...[...tenants.values()].map(tenantKey)];
    const erasedTo = new Map<string, { all: number; newest: number }>();
    if (fromMs <= toMs) {
      const filter = tombstones.beside(sheetsWithin(level, fromMs, toMs));
      for (const row of await table.read({ keys, filter })) {
        const tenant = tenants.get(row.key.toString('latin1'));
        if (tenant === undefined) {
          rows.load(row);
        } else {
          erasedTo.set(tenant, tombstones.ofTenant(row));
        }
      }
    }
    return { rows, erasedTo };
  }

  async #judge(
    batch: AggregateBatch,
    rows: SheetRows,
    erasedTo: ReadonlyMap<string, { readonly all: number; readonly newest: number }>,
  ): Promise<WindowTally> {
    const { table, tombstones } = this.#parts;
    const ofTenant = erasedTo.get(batch.tenant) ?? { all: -1, newest: -1 };
    const ofSeries = batch.ticket <= ofTenant.newest ? await tombstones.ofSeries(table, batch) : () => -1;
    const tally = new WindowTally();
    eachSheet(batch, (key, sheet) => {
      const series = batch.sheets.series[sheet.sheet] as number;
      if (batch.ticket <= Math.max(ofTenant.all, ofSeries(series))) {
        countErased(sheet, tally);
        return;
      }
      const encoded = encodeSheet(sheet);
      if (judgeSheet(sheet, { encoded, stored: rows.standing(key, sheet.startMs) }, tally)) {
        rows.put(key, { startMs: sheet.startMs, endMs: sheet.endMs, blob: Buffer.from(encoded) });
      }
    });
    return tally;
  }
}

function countErased({ batch, rowsFrom, rowsTo }: SheetCursor, tally: WindowTally): void {
  for (let row = rowsFrom; row < rowsTo; row++) {
    tally.add(batch.rows.hour[row] as number, 'shadowed');
  }
}

function eachSheet(batch: AggregateBatch, visit: (key: Buffer, sheet: SheetCursor) => void): void {
  const sheet = new SheetCursor(batch);
  let series = -1;
  let prefix: Buffer = Buffer.alloc(0);
  while (sheet.next()) {
    const { startMs } = sheet;
    if (!(Number.isInteger(startMs) && startMs >= 0 && startMs < startMsMax)) {
      throw new PermanentError('instant-out-of-range', `a window starts at ${startMs} ms, before 1970 or far ahead`);
    }
    const index = batch.sheets.series[sheet.sheet] as number;
    if (index !== series) {
      series = index;
      prefix = seriesPrefix({ tenant: batch.tenant, ...(batch.series[index] as SeriesName) });
    }
    visit(withPeriod(prefix, batch.level, startMs), sheet);
  }
}
