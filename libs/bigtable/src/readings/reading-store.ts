import {
  dayMs,
  firstStartMs,
  type ErasableStore,
  type Erased,
  type Erasure,
  type ErasureScope,
  type NamedSeries,
  type OutcomeCounts,
  type ReadingHistory,
  type ReadingStore,
  type ReadingWrite,
  type KnownBy,
  type Segment,
  type SeriesDays,
  type SeriesLayer,
} from '@meterflow/idempotent-writes';
import type { Layer, SeriesName } from '@meterflow/readings';
import { PermanentError } from '@meterflow/stage';
import { eraseRows, foundRows, type ErasableCells } from '../rows/erase-rows.ts';
import { under } from '../rows/key-hash.ts';
import { rowsUnder } from '../rows/scope-rows.ts';
import { dayOf, parseSeriesKey, seriesPrefix } from '../rows/series-key.ts';
import { seriesOfTable } from '../rows/series-list.ts';
import { tables } from '../schema.ts';
import { compactDays, type Compacted, type CompactionSpan } from './compact.ts';
import { ReadingReader } from './reading-reader.ts';
import { ReadingWriter, type ReadingWriterParts } from './reading-writer.ts';
import { chain, firstCellOnly, inQualifiers, withoutValues } from '../wire/row-filter.ts';
import { cellsOfLayer, decodeCell, historyKind, layerNumber } from './segment-cell.ts';
import { withStoredErrors } from './stored-errors.ts';

const families = [tables.readings.segments];
const pageRows = 2_000;
/** The first of them has what is looked for, unless it was erased. */
const firstDaysRows = 4;

function erasable(layer: Layer): ErasableCells {
  const number = layerNumber(layer);
  return {
    families,
    isCovered: ({ qualifier, value }, upTo) =>
      qualifier[0] === number && decodeCell(value).segments.some(({ acceptedFromMs }) => acceptedFromMs <= upTo),
    isHistory: ({ value }) => decodeCell(value).kind === historyKind,
  };
}

/**
 * One layer's readings. A write adds segments and reads none away, so that writers never meet; outcomes are judged by
 * what was there before and are advisory. What a read gives is exact.
 */
export class BigtableReadingStore implements ReadingStore, ReadingHistory, ErasableStore {
  readonly #layer: Layer;
  readonly #parts: ReadingWriterParts;
  readonly #writer: ReadingWriter;
  readonly #reader: ReadingReader;

  constructor(parts: ReadingWriterParts) {
    this.#layer = parts.layer;
    this.#parts = parts;
    this.#writer = new ReadingWriter(parts);
    this.#reader = new ReadingReader(parts);
  }

  async write(writes: readonly ReadingWrite[]): Promise<readonly OutcomeCounts[]> {
    const stranger = writes.find(({ batch }) => batch.layer !== this.#layer);
    if (stranger !== undefined) {
      const found = stranger.batch.layer;
      throw new PermanentError('wrong-layer', `a batch of ${found} readings in the store of ${this.#layer} ones`);
    }
    return withStoredErrors(this.#parts.table.name, () => this.#writer.write(writes));
  }

  async read(days: SeriesDays): Promise<readonly Segment[]> {
    this.#check(days);
    return withStoredErrors(this.#parts.table.name, () => this.#reader.read(days));
  }

  async firstMs(series: SeriesLayer): Promise<number | undefined> {
    this.#check(series);
    const { table } = this.#parts;
    return withStoredErrors(table.name, async () => {
      const filter = chain(cellsOfLayer(this.#layer, { history: false }), firstCellOnly, withoutValues);
      for await (const { key } of table.scan(under(seriesPrefix(series)), filter, firstDaysRows)) {
        // What was erased may still have its row.
        const fromMs = dayOf(key) * dayMs;
        const firstMs = firstStartMs(await this.#reader.read({ ...series, fromMs, toMs: fromMs + dayMs }));
        if (firstMs !== undefined) {
          return firstMs;
        }
      }
      return undefined;
    });
  }

  /** What was superseded, oldest first within each day. */
  async history(days: SeriesDays): Promise<readonly Segment[]> {
    this.#check(days);
    return withStoredErrors(this.#parts.table.name, () => this.#reader.history(days));
  }

  /** See ReadingHistory: cells hold no lines. */
  origins(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** See ReadingHistory. */
  async asOf(days: SeriesDays, known: KnownBy): Promise<readonly Segment[]> {
    this.#check(days);
    return withStoredErrors(this.#parts.table.name, () => this.#reader.asOf(days, known));
  }

  /** See ErasableStore. The tombstone, an instant, is of both layers; what is deleted is of this one. */
  erase(erasure: Erasure): Promise<Erased> {
    const { table, tombstones } = this.#parts;
    return withStoredErrors(table.name, () => eraseRows(table, { ...erasable(this.#layer), tombstones }, erasure));
  }

  found(erasure: Erasure): Promise<Erased> {
    const { table } = this.#parts;
    return withStoredErrors(table.name, () => foundRows(table, erasable(this.#layer), erasure));
  }

  /** The days of UTC that something of this layer is stored of, series by series, ascending; a series may come twice. */
  async *storedDays(scope: ErasureScope): AsyncGenerator<{ readonly series: SeriesName; readonly day: number }> {
    const filter = chain(cellsOfLayer(this.#layer, { history: false }), firstCellOnly, withoutValues);
    for await (const page of rowsUnder(this.#parts.table, scope, { filter, pageRows })) {
      for (const { key } of page) {
        const parsed = parseSeriesKey(key);
        if (parsed !== undefined) {
          const { meter, channel } = parsed.series;
          yield { series: { meter, channel }, day: dayOf(key) };
        }
      }
    }
  }

  /** Compacts both layers of closed days. */
  compact(span: CompactionSpan): Promise<Compacted> {
    const { table, tombstones } = this.#parts;
    return withStoredErrors(table.name, () => compactDays(table, tombstones, span));
  }

  /** All series of either layer, by tenant, meter and channel. */
  series(): Promise<readonly NamedSeries[]> {
    return seriesOfTable(this.#parts.table, families);
  }

  /** From the first to the last day that has something of the series, in whichever layer. */
  async daysOf(series: NamedSeries): Promise<{ readonly fromMs: number; readonly toMs: number }> {
    const range = under(seriesPrefix(series));
    const filter = chain(inQualifiers({ family: tables.readings.segments }), firstCellOnly, withoutValues);
    let fromMs = Infinity;
    let toMs = 0;
    for await (const { key } of this.#parts.table.scan(range, filter, pageRows)) {
      const startMs = dayOf(key) * dayMs;
      fromMs = Math.min(fromMs, startMs);
      toMs = startMs + dayMs;
    }
    return { fromMs, toMs };
  }

  #check({ layer }: SeriesLayer): void {
    if (layer !== this.#layer) {
      throw new RangeError(`this store holds the ${this.#layer} layer, not ${layer}`);
    }
  }
}
