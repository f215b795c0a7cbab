import type { StatementSync } from 'node:sqlite';
import { AggregateBatchBuilder, type AggregateBatch, type SheetLevel } from '@meterflow/aggregates';
import { decodeStanding, type SeriesSheets } from '@meterflow/idempotent-writes';
import { halfDayMs, sheetsPerSeries, sheetTables } from './aggregate-schema.ts';
import { gatheredRanges, RangeReader } from './range-reader.ts';
import { SeriesReader, type SeriesFilter, type StoredSeries } from './series-reader.ts';
import type { StoreFile } from './store-file.ts';

/** Sheets of one page of an enumeration, and of one batch that it gives. */
const pageSheetsMax = 512;

type SheetRow = [key: number, sheet: Uint8Array];

/** Reads sheets, always as last committed. Any number of processes may; none of them holds up a writer. */
export class AggregateReader {
  readonly #store: StoreFile;
  readonly #series: SeriesReader;
  readonly #range: Record<SheetLevel, StatementSync>;
  readonly #ranges: Record<SheetLevel, RangeReader>;
  readonly #page: Record<SheetLevel, StatementSync>;

  constructor(store: StoreFile) {
    this.#store = store;
    this.#series = new SeriesReader(store.database);
    const each = (sql: (table: string) => string): Record<SheetLevel, StatementSync> => {
      const prepare = (level: SheetLevel): StatementSync => store.database.prepare(sql(sheetTables[level]));
      const statements = { day: prepare('day'), month: prepare('month') };
      statements.day.setReturnArrays(true);
      statements.month.setReturnArrays(true);
      return statements;
    };
    // The sheets one after the other as one blob, in the order of the scan: a blob for each costs three times as much.
    this.#range = each(
      (table) => `select cast(group_concat(sheet, '') as blob) from ${table} where key between ? and ?`,
    );
    const ranges = (table: string): RangeReader =>
      new RangeReader(store.database, { table, column: 'sheet', keysPerSeries: sheetsPerSeries, joined: true });
    this.#ranges = { day: ranges(sheetTables.day), month: ranges(sheetTables.month) };
    this.#page = each((table) => `select key, sheet from ${table} where key > ? and key < ? order by key limit ?`);
  }

  /** See AggregateStore. Withdrawn sheets are left out. */
  read(sheets: SeriesSheets): AggregateBatch {
    const { tenant, meter, channel, level } = sheets;
    return this.#store.read(() => {
      const series = this.#series.find(tenant, meter, channel);
      const { first, last } = keysWithin(sheets);
      if (series === undefined || first > last) {
        return batchOf([], sheets);
      }
      const firstKey = series.id * sheetsPerSeries;
      const [found] = this.#range[level].get(firstKey + first, firstKey + last) as unknown as [Uint8Array | null];
      return batchOf(found === null ? [] : [found], sheets);
    });
  }

  /** The same of many, in their order; most often all of the same span. */
  readMany(all: readonly SeriesSheets[]): AggregateBatch[] {
    return this.#store.read(() => {
      const batches: AggregateBatch[] = [];
      for (const level of ['day', 'month'] as const) {
        const places = [...all.keys()].filter((place) => all[place]?.level === level);
        const asked = places.map((place) => ({
          ...(all[place] as SeriesSheets),
          ...keysWithin(all[place] as SeriesSheets),
        }));
        for (const range of gatheredRanges(asked)) {
          this.#ranges[level].read(range, (meter, _, blob) => {
            const place = places[range.places[meter] as number] as number;
            batches[place] = batchOf([blob], all[place] as SeriesSheets);
          });
        }
      }
      return all.map((sheets, place) => batches[place] ?? batchOf([], sheets));
    });
  }

  *series(filter: SeriesFilter = {}): Generator<StoredSeries> {
    yield* this.#series.list(filter);
  }

  /** All sheets of a level by tenant, meter, channel and start; a batch holds sheets of one series. */
  *batches(level: SheetLevel, filter: SeriesFilter = {}): Generator<AggregateBatch> {
    for (const series of this.#series.list(filter)) {
      yield* this.#pages(level, series);
    }
  }

  *#pages(level: SheetLevel, series: StoredSeries): Generator<AggregateBatch> {
    let after = series.id * sheetsPerSeries - 1;
    for (;;) {
      const { rows, batch } = this.#store.read(() => {
        const page = this.#page[level].all(
          after,
          (series.id + 1) * sheetsPerSeries,
          pageSheetsMax,
        ) as unknown as SheetRow[];
        const sheets = page.map(([, sheet]) => sheet);
        return { rows: page, batch: batchOf(sheets, { ...series, level, fromMs: 0, toMs: Infinity }) };
      });
      if (batch.sheets.rows.length > 0) {
        yield batch;
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageSheetsMax) {
        return;
      }
      after = last[0];
    }
  }
}

/** Used again for each read: its columns are larger than what most reads fill. */
let builder = new AggregateBatchBuilder();

/** Decodes sheets that start in [fromMs, toMs) and were not withdrawn; each of `sheets` may be several. */
function batchOf(
  sheets: readonly Uint8Array[],
  { tenant, meter, channel, level, fromMs, toMs, rows = 'all' }: SeriesSheets,
): AggregateBatch {
  try {
    const target = { builder, series: builder.series(meter, channel), rows, fromMs, toMs };
    let ticket = 0;
    for (const bytes of sheets) {
      ticket = Math.max(ticket, decodeStanding(bytes, target));
    }
    return builder.finish({ tenant, level, ticket, causes: [] });
  } catch (error) {
    // What was decoded before a damaged sheet must not show up in the next read.
    builder = new AggregateBatchBuilder();
    throw error;
  }
}

/** The half days that a span touches; none where `first` is above `last`. */
function keysWithin({ fromMs, toMs }: SeriesSheets): { readonly first: number; readonly last: number } {
  return fromMs < toMs
    ? {
        first: Math.max(0, Math.floor(fromMs / halfDayMs)),
        last: Math.min(sheetsPerSeries - 1, Math.floor(toMs / halfDayMs)),
      }
    : { first: 0, last: -1 };
}
