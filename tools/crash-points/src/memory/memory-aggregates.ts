import { AggregateBatchBuilder, SheetCursor, type AggregateBatch } from '@meterflow/aggregates';
import {
  decodeStanding,
  encodeSheet,
  judgeSheet,
  noOutcomes,
  WindowTally,
  type AggregateStore,
  type AggregateWrite,
  type LedgerLayer,
  type OutcomeCounts,
  type SeriesSheets,
} from '@meterflow/idempotent-writes';
import type { MemoryLedger } from './memory-ledger.ts';

let builder = new AggregateBatchBuilder();

/** Aggregates in memory, the highest ticket of each window, with their ledger rows. */
export class MemoryAggregates implements AggregateStore {
  readonly #ledger: MemoryLedger;
  /** Blobs by series and level, then start. */
  readonly #sheets = new Map<string, Map<number, Uint8Array>>();

  constructor(ledger: MemoryLedger) {
    this.#ledger = ledger;
  }

  write(writes: readonly AggregateWrite[]): Promise<readonly OutcomeCounts[]> {
    return Promise.resolve(
      writes.map(({ batch }) => {
        const tally = new WindowTally();
        for (const sheet = new SheetCursor(batch); sheet.next();) {
          this.#put(sheet, tally);
        }
        this.#account(batch, tally);
        return tally.all;
      }),
    );
  }

  read({ tenant, meter, channel, level, fromMs, toMs, rows = 'all' }: SeriesSheets): Promise<AggregateBatch> {
    const sheets = [...(this.#sheets.get(pathOf({ tenant, meter, channel, level })) ?? [])];
    try {
      const target = { builder, series: builder.series(meter, channel), rows, fromMs, toMs };
      let ticket = 0;
      for (const [, blob] of sheets.sort(([a], [b]) => a - b)) {
        ticket = Math.max(ticket, decodeStanding(blob, target));
      }
      return Promise.resolve(builder.finish({ tenant, level, ticket, causes: [] }));
    } catch (error) {
      builder = new AggregateBatchBuilder();
      throw error;
    }
  }

  #put(sheet: SheetCursor, tally: WindowTally): void {
    const { tenant, level } = sheet.batch;
    const path = pathOf({ tenant, level, ...sheet.series });
    const sheets = this.#sheets.get(path) ?? new Map<number, Uint8Array>();
    this.#sheets.set(path, sheets);
    const encoded = encodeSheet(sheet);
    if (judgeSheet(sheet, { encoded, stored: sheets.get(sheet.startMs) }, tally)) {
      sheets.set(sheet.startMs, encoded.slice());
    }
  }

  /** The counts go to the first cause that has no row yet; where all have one, to the first of all. */
  #account({ level, causes }: AggregateBatch, { hours, whole }: WindowTally): void {
    const layers: readonly (readonly [LedgerLayer, OutcomeCounts])[] =
      level === 'day'
        ? [
            ['hour', hours],
            ['day', whole],
          ]
        : [['month', whole]];
    for (const [layer, counts] of layers) {
      const fresh = causes.filter((cause) => !this.#ledger.has(cause, layer));
      fresh.forEach((cause, index) => {
        this.#ledger.add(cause, layer, index === 0 ? counts : noOutcomes);
      });
      const [first] = causes;
      if (fresh.length === 0 && first !== undefined) {
        this.#ledger.raise(first, layer, counts);
      }
    }
  }
}

function pathOf(sheets: Pick<SeriesSheets, 'tenant' | 'meter' | 'channel' | 'level'>): string {
  return `${sheets.tenant}\n${sheets.meter}\n${sheets.channel}\n${sheets.level}`;
}
