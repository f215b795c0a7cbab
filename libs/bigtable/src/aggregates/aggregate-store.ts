import { AggregateBatchBuilder, type AggregateBatch } from '@meterflow/aggregates';
import {
  decodeSheet,
  sheetHead,
  type AggregateStore,
  type AggregateWrite,
  type OutcomeCounts,
  type SeriesSheets,
} from '@meterflow/idempotent-writes';
import { seriesPrefix } from '../rows/series-key.ts';
import { withStoredErrors } from '../readings/stored-errors.ts';
import { AggregateWriter, type AggregateWriterParts } from './aggregate-writer.ts';
import { sheetFamilies, sheetsWithin, standingSheets, startMsMax, withPeriod } from './sheet-cell.ts';

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
