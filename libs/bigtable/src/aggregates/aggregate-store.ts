import { AggregateBatchBuilder, type AggregateBatch, type SheetLevel } from '@meterflow/aggregates';
import {
  decodeStanding,
  sheetTicket,
  type AggregateStore,
  type AggregateWrite,
  type ErasableStore,
  type Erased,
  type Erasure,
  type NamedSeries,
  type OutcomeCounts,
  type SeriesSheets,
} from '@meterflow/idempotent-writes';
import { Gathered } from '../client/gathered.ts';
import { eraseRows, foundRows, type ErasableCells } from '../rows/erase-rows.ts';
import { readSeries, type SeriesRange, type SeriesRows } from '../rows/read-series.ts';
import { seriesOfTable } from '../rows/series-list.ts';
import { seriesPrefix } from '../rows/series-key.ts';
import type { StoredCell } from '../wire/read-rows.ts';
import { withStoredErrors } from '../readings/stored-errors.ts';
import { AggregateWriter, type AggregateWriterParts } from './aggregate-writer.ts';
import { sheetFamilies, sheetStartMs, sheetsWithin, standingSheets, startMsMax, withPeriod } from './sheet-cell.ts';

const erasable: ErasableCells = {
  families: Object.values(sheetFamilies),
  isCovered: ({ value }, upTo) => sheetTicket(value) <= upTo,
};

/** Sheets of a series that start in [fromMs, toMs). */
interface Asked extends SeriesRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What one call reads at most. */
const sheetsTogetherMax = 4_000;
/** About how long a sheet is. */
const sheetMs = { day: 86_400_000, month: 30 * 86_400_000 } as const satisfies Record<SheetLevel, number>;

/** Sheets of all levels. Of two writers at once the higher ticket is read; outcomes are advisory. */
export class BigtableAggregateStore implements AggregateStore, ErasableStore {
  readonly #parts: AggregateWriterParts;
  readonly #writer: AggregateWriter;
  readonly #builder = new AggregateBatchBuilder();
  readonly #rows: Readonly<Record<SheetLevel, Gathered<Asked, SeriesRows>>>;

  constructor(parts: AggregateWriterParts) {
    this.#parts = parts;
    this.#rows = { day: this.#gathered('day'), month: this.#gathered('month') };
    this.#writer = new AggregateWriter(parts);
  }

  write(writes: readonly AggregateWrite[]): Promise<readonly OutcomeCounts[]> {
    return withStoredErrors(this.#parts.table.name, () => this.#writer.write(writes));
  }

  read(sheets: SeriesSheets): Promise<AggregateBatch> {
    return withStoredErrors(this.#parts.table.name, () => this.#read(sheets));
  }

  /** See ErasableStore; `upTo` is a ticket. */
  erase(erasure: Erasure): Promise<Erased> {
    return eraseRows(this.#parts.table, { ...erasable, tombstones: this.#parts.tombstones }, erasure);
  }

  found(erasure: Erasure): Promise<Erased> {
    return foundRows(this.#parts.table, erasable, erasure);
  }

  /** All series, by tenant, meter and channel. */
  series(): Promise<readonly NamedSeries[]> {
    return seriesOfTable(this.#parts.table, erasable.families);
  }

  async #read(sheets: SeriesSheets): Promise<AggregateBatch> {
    const { tenant, meter, channel, level, rows: wanted = 'all' } = sheets;
    const fromMs = Math.max(0, Math.floor(sheets.fromMs));
    const toMs = Math.min(startMsMax, Math.ceil(sheets.toMs));
    const isAny = sheets.fromMs < sheets.toMs && fromMs < toMs;
    const cells = isAny ? await this.#standing({ ...sheets, fromMs, toMs }) : [];
    // From here on nothing is awaited: the builder is ours.
    const builder = this.#builder;
    const target = { builder, series: isAny ? builder.series(meter, channel) : 0, rows: wanted, fromMs, toMs };
    let ticket = 0;
    for (const { value } of cells) {
      ticket = Math.max(ticket, decodeStanding(value, target));
    }
    return builder.finish({ tenant, level, ticket, causes: [] });
  }

  /** The cells of the sheets that start within and stand. */
  async #standing({ tenant, meter, channel, level, fromMs, toMs }: SeriesSheets): Promise<readonly StoredCell[]> {
    const series = { tenant, meter, channel };
    const prefix = seriesPrefix(series);
    const lastRow = withPeriod(prefix, level, toMs - 1);
    const { rows, erasedTo } = await this.#rows[level].ask({
      series,
      fromMs,
      toMs,
      from: withPeriod(prefix, level, fromMs),
      to: Buffer.concat([lastRow, Buffer.of(0)]),
    });
    const cells = rows.flatMap((row) =>
      row.cells.filter(({ family, qualifier }) => {
        const startMs = family === sheetFamilies[level] ? sheetStartMs(qualifier) : -1;
        return startMs >= fromMs && startMs < toMs;
      }),
    );
    return standingSheets(cells, (ticket) => ticket <= erasedTo);
  }

  /** Reads of a level that are asked for at the same time go to the service together. */
  #gathered(level: SheetLevel): Gathered<Asked, SeriesRows> {
    const { tombstones } = this.#parts;
    const periodMs = sheetMs[level];
    return new Gathered(
      (asked) => {
        const fromMs = Math.min(...asked.map((one) => one.fromMs));
        const toMs = Math.max(...asked.map((one) => one.toMs));
        return readSeries(this.#parts, asked, tombstones.beside(sheetsWithin(level, fromMs, toMs - 1)));
      },
      { weightMax: sheetsTogetherMax, weightOf: ({ fromMs, toMs }) => Math.ceil((toMs - fromMs) / periodMs) },
    );
  }
}
