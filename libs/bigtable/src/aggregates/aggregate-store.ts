import { AggregateBatchBuilder, type AggregateBatch } from '@meterflow/aggregates';
import {
  decodeSheet,
  sheetHead,
  sheetTicket,
  type AggregateStore,
  type AggregateWrite,
  type OutcomeCounts,
  type SeriesSheets,
} from '@meterflow/idempotent-writes';
import { eraseRows, foundRows, type ErasableCells, type ErasedRows } from '../rows/erase-rows.ts';
import type { NamedSeries } from '@meterflow/idempotent-writes';
import { seriesOfTable } from '../rows/series-list.ts';
import type { Erasure } from '../rows/tombstones.ts';
import { seriesPrefix } from '../rows/series-key.ts';
import { withStoredErrors } from '../readings/stored-errors.ts';
import { AggregateWriter, type AggregateWriterParts } from './aggregate-writer.ts';
import { sheetFamilies, sheetsWithin, standingSheets, startMsMax, withPeriod } from './sheet-cell.ts';

const erasable: ErasableCells = {
  families: Object.values(sheetFamilies),
  isCovered: ({ value }, upTo) => sheetTicket(value) <= upTo,
};

/** Sheets of all levels. Of two writers at once the higher ticket is read; outcomes are advisory. */
export class BigtableAggregateStore implements AggregateStore {
  readonly #parts: AggregateWriterParts;
  readonly #writer: AggregateWriter;

  constructor(parts: AggregateWriterParts) {
    this.#parts = parts;
    this.#writer = new AggregateWriter(parts);
  }

  write(writes: readonly AggregateWrite[]): Promise<readonly OutcomeCounts[]> {
    return withStoredErrors(this.#parts.table.name, () => this.#writer.write(writes));
  }

  read(sheets: SeriesSheets): Promise<AggregateBatch> {
    return withStoredErrors(this.#parts.table.name, () => this.#read(sheets));
  }

  /** Deletes for good the sheets of tickets up to `upTo`; they are never read again. */
  erase(erasure: Erasure): Promise<ErasedRows> {
    return eraseRows(this.#parts.table, { ...erasable, tombstones: this.#parts.tombstones }, erasure);
  }

  /** What is there of it now. */
  found(erasure: Erasure): Promise<ErasedRows> {
    return foundRows(this.#parts.table, erasable, erasure);
  }

  /** All series, by tenant, meter and channel. */
  series(): Promise<readonly NamedSeries[]> {
    return seriesOfTable(this.#parts.table, erasable.families);
  }

  async #read(sheets: SeriesSheets): Promise<AggregateBatch> {
    const { tenant, meter, channel, level, rows: wanted = 'all' } = sheets;
    const { table, tombstones } = this.#parts;
    const fromMs = Math.max(0, sheets.fromMs);
    const toMs = Math.min(startMsMax, sheets.toMs);
    const builder = new AggregateBatchBuilder();
    if (!(fromMs < toMs)) {
      return builder.finish({ tenant, level, ticket: 0, causes: [] });
    }
    const prefix = seriesPrefix({ tenant, meter, channel });
    const lastRow = withPeriod(prefix, level, toMs - 1);
    const [tenantRow, meterRow] = tombstones.keys(tenant, meter);
    const rows = await table.read({
      keys: [tenantRow, meterRow],
      ranges: [{ from: withPeriod(prefix, level, fromMs), to: Buffer.concat([lastRow, Buffer.of(0)]) }],
      filter: tombstones.beside(sheetsWithin(level, Math.floor(fromMs), Math.ceil(toMs) - 1)),
    });
    let erasedTo = -1;
    for (const row of rows) {
      erasedTo = row.key.equals(tenantRow) ? Math.max(erasedTo, tombstones.ofTenant(row).all) : erasedTo;
      erasedTo = row.key.equals(meterRow) ? Math.max(erasedTo, tombstones.ofChannel(row, channel)) : erasedTo;
    }
    const cells = rows.flatMap((row) => row.cells.filter(({ family }) => family === sheetFamilies[level]));
    const target = { builder, series: builder.series(meter, channel), rows: wanted };
    let ticket = 0;
    for (const { value } of standingSheets(cells, (ticketOf) => ticketOf <= erasedTo)) {
      if (sheetHead(value).rows > 0) {
        ticket = Math.max(ticket, decodeSheet(value, target));
      }
    }
    return builder.finish({ tenant, level, ticket, causes: [] });
  }
}
