import type { StatementSync } from 'node:sqlite';
import {
  dayMax,
  dayMs,
  firstStartMs,
  SegmentColumnsReader,
  segmentWithin,
  type HistorySegment,
  type Origin,
  type Segment,
  type SeriesDays,
  type SeriesLayer,
} from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import { OriginReader } from './origins.ts';
import { gatheredRanges, RangeReader } from './range-reader.ts';
import { daysPerSeries } from './reading-schema.ts';
import { SeriesReader, type SeriesFilter, type StoredSeries } from './series-reader.ts';
import type { StoreFile } from './store-file.ts';

/** A segment and whose it is. */
export interface SeriesSegment {
  readonly series: StoredSeries;
  readonly segment: Segment;
}

/** Days of one page: an enumeration holds at most these in memory, and no read transaction between pages. */
const pageDaysMax = 512;

type DayRow = [key: number, segment: Uint8Array];
/** Of the history: who has to do with it. */
type HistoryRow = [...DayRow, source?: string | null, displaced?: number | null];

/** Reads one layer's file, always as last committed. Any number of processes may; none of them holds up a writer. */
export class ReadingReader {
  readonly #store: StoreFile;
  readonly #layer: Layer;
  readonly #series: SeriesReader;
  readonly #days: StatementSync;
  readonly #ranges: RangeReader;
  readonly #page: StatementSync;
  readonly #history: StatementSync;
  readonly #origins: OriginReader;
  readonly #columns = new SegmentColumnsReader();

  constructor(store: StoreFile, layer: Layer) {
    this.#store = store;
    this.#layer = layer;
    this.#series = new SeriesReader(store.database);
    const prepare = (sql: string): StatementSync => {
      const statement = store.database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#days = prepare('select key, segment from days where key between ? and ?');
    this.#ranges = new RangeReader(store.database, {
      ...{ table: 'days', column: 'segment', keysPerSeries: daysPerSeries, joined: false },
    });
    this.#page = prepare('select key, segment from days where key > ? and key < ? order by key limit ?');
    this.#history = prepare(
      `select history.key, segment, name, displaced from history
       left join historySources on historySources.history = history.id
       left join sources on sources.id = historySources.source
       where history.key between ? and ? order by history.key, history.id`,
    );
    this.#origins = new OriginReader(store.database);
  }

  /** See ReadingHistory. */
  origins({ tenant, meter, channel, layer, fromMs, toMs }: SeriesDays): Origin[] {
    this.#check(layer);
    return this.#store.read(() => {
      const series = this.#series.find(tenant, meter, channel);
      return series === undefined || !(fromMs < toMs)
        ? []
        : this.#origins.of(
            series.id,
            Math.max(0, Math.floor(fromMs / dayMs)),
            Math.min(dayMax, Math.ceil(toMs / dayMs)),
          );
    });
  }

  /** See ReadingStore. */
  read(days: SeriesDays): Segment[] {
    return this.#read(this.#days, days);
  }

  /** The same of many, in their order; most often all of the same days. */
  readMany(all: readonly SeriesDays[]): (readonly Segment[])[] {
    const read = all.map((): Segment[] => []);
    return this.#store.read(() => {
      const asked = all.map(({ tenant, meter, channel, layer, fromMs, toMs }) => {
        this.#check(layer);
        return { tenant, meter, channel, ...daysWithin(fromMs, toMs) };
      });
      for (const range of gatheredRanges(asked)) {
        this.#ranges.read(range, (meter, day, blob) => {
          const place = range.places[meter] as number;
          this.#append(read[place] as Segment[], { day, blob }, all[place] as SeriesDays);
        });
      }
      return read;
    });
  }

  /** What was superseded, oldest first within each day. */
  history(days: SeriesDays): HistorySegment[] {
    return this.#read(this.#history, days);
  }

  /** By tenant, meter and channel. */
  *series(filter: SeriesFilter = {}): Generator<StoredSeries> {
    yield* this.#series.list(filter);
  }

  /** Every segment by tenant, meter, channel and day. What is written meanwhile may be among them or not. */
  *segments(filter: SeriesFilter = {}): Generator<SeriesSegment> {
    for (const series of this.#series.list(filter)) {
      for (const row of this.#pages(series.id * daysPerSeries - 1, (series.id + 1) * daysPerSeries)) {
        yield* this.#segments(series, row);
      }
    }
  }

  /** Every segment in the order of the file, which is the fastest. */
  *segmentsByKey(): Generator<SeriesSegment> {
    let series: StoredSeries | undefined;
    for (const row of this.#pages(-1, Number.MAX_SAFE_INTEGER)) {
      const id = Math.floor(row[0] / daysPerSeries);
      if (series?.id !== id) {
        series = this.#store.read(() => this.#series.byId(id));
      }
      if (series !== undefined) {
        yield* this.#segments(series, row);
      }
    }
  }

  /** See ReadingStore. */
  firstMs({ tenant, meter, channel, layer }: SeriesLayer): number | undefined {
    this.#check(layer);
    const series = this.#store.read(() => this.#series.find(tenant, meter, channel));
    if (series === undefined) {
      return undefined;
    }
    const [from, to] = [series.id * daysPerSeries - 1, (series.id + 1) * daysPerSeries];
    const [first] = this.#store.read(() => this.#page.all(from, to, 1)) as unknown as DayRow[];
    return first && firstStartMs(this.#segments(series, first).map(({ segment }) => segment));
  }

  #segments(series: StoredSeries, [key, blob]: DayRow): SeriesSegment[] {
    const day = key % daysPerSeries;
    return this.#store.read(() =>
      this.#columns.read(blob, day).map((columns) => ({ series, segment: { day, columns } })),
    );
  }

  *#pages(after: number, before: number): Generator<DayRow> {
    let last = after;
    for (;;) {
      const rows = this.#store.read(() => this.#page.all(last, before, pageDaysMax)) as unknown as DayRow[];
      yield* rows;
      const end = rows.at(-1);
      if (end === undefined || rows.length < pageDaysMax) {
        return;
      }
      last = end[0];
    }
  }

  #read(statement: StatementSync, days: SeriesDays): HistorySegment[] {
    const { tenant, meter, channel, layer } = days;
    this.#check(layer);
    return this.#store.read(() => {
      const series = this.#series.find(tenant, meter, channel);
      const { first, last } = daysWithin(days.fromMs, days.toMs);
      if (series === undefined || first > last) {
        return [];
      }
      const firstKey = series.id * daysPerSeries;
      const rows = statement.all(firstKey + first, firstKey + last) as unknown as HistoryRow[];
      const segments: HistorySegment[] = [];
      for (const [key, blob, sourceId, displaced] of rows) {
        const from = segments.length;
        this.#append(segments, { day: key - firstKey, blob }, days);
        if (typeof sourceId === 'string') {
          const by = byOf(sourceId, displaced);
          segments.push(...segments.splice(from).map((segment) => ({ ...segment, by })));
        }
      }
      return segments;
    });
  }

  #append(
    segments: Segment[],
    { day, blob }: { readonly day: number; readonly blob: Uint8Array },
    { fromMs, toMs }: SeriesDays,
  ): void {
    for (const columns of this.#columns.read(blob, day)) {
      const within = segmentWithin({ day, columns }, fromMs, toMs);
      if (within !== undefined) {
        segments.push(within);
      }
    }
  }

  #check(layer: Layer): void {
    if (layer !== this.#layer) {
      throw new RangeError(`${this.#store.file} holds the ${this.#layer} layer, not ${layer}`);
    }
  }
}

/** The days that a span touches; none where `first` is above `last`. */
function daysWithin(fromMs: number, toMs: number): { readonly first: number; readonly last: number } {
  return fromMs < toMs
    ? { first: Math.max(0, Math.floor(fromMs / dayMs)), last: Math.min(dayMax - 1, Math.ceil(toMs / dayMs) - 1) }
    : { first: 0, last: -1 };
}

function byOf(sourceId: string, displaced: number | null | undefined): NonNullable<HistorySegment['by']> {
  return { sourceId, how: displaced === 1 ? 'displaced' : 'brought' };
}
