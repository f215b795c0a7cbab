import {
  dayMs,
  type NamedSeries,
  type OutcomeCounts,
  type ReadingStore,
  type ReadingWrite,
  type Segment,
  type SeriesDays,
} from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import { PermanentError } from '@meterflow/stage';
import { eraseRows, foundRows, type ErasableCells, type ErasedRows } from '../rows/erase-rows.ts';
import { under } from '../rows/key-hash.ts';
import { dayOf, seriesPrefix } from '../rows/series-key.ts';
import { seriesOfTable } from '../rows/series-list.ts';
import type { Erasure } from '../rows/tombstones.ts';
import { tables } from '../schema.ts';
import { compactDays, type Compacted, type CompactionSpan } from './compact.ts';
import { ReadingReader } from './reading-reader.ts';
import { ReadingWriter, type ReadingWriterParts } from './reading-writer.ts';
import { chain, firstCellOnly, inQualifiers, withoutValues } from '../wire/row-filter.ts';
import { decodeCell } from './segment-cell.ts';
import { withStoredErrors } from './stored-errors.ts';

const erasable: ErasableCells = {
  families: [tables.readings.segments],
  isCovered: ({ value }, upTo) => decodeCell(value).segments.some(({ acceptedFromMs }) => acceptedFromMs <= upTo),
};

/**
 * One layer's readings. A write adds segments and reads none away, so that writers never meet; outcomes are judged by
 * what was there before and are advisory. What a read gives is exact.
 */
export class BigtableReadingStore implements ReadingStore {
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

  /** What was superseded, oldest first within each day. */
  async history(days: SeriesDays): Promise<readonly Segment[]> {
    this.#check(days);
    return withStoredErrors(this.#parts.table.name, () => this.#reader.history(days));
  }

  /** The latest readings among those that had been accepted by the instant. */
  async asOf(days: SeriesDays, instantMs: number): Promise<readonly Segment[]> {
    this.#check(days);
    return withStoredErrors(this.#parts.table.name, () => this.#reader.asOf(days, instantMs));
  }

  /** Deletes for good what was accepted up to `upTo`, an instant, of this and the other layer; it is never read again. */
  erase(erasure: Erasure): Promise<ErasedRows> {
    return eraseRows(this.#parts.table, { ...erasable, tombstones: this.#parts.tombstones }, erasure);
  }

  /** What is there of it now. */
  found(erasure: Erasure): Promise<ErasedRows> {
    return foundRows(this.#parts.table, erasable, erasure);
  }

  /** Compacts both layers of closed days. */
  compact(span: CompactionSpan): Promise<Compacted> {
    const { table, tombstones } = this.#parts;
    return withStoredErrors(table.name, () => compactDays(table, tombstones, span));
  }

  /** All series of either layer, by tenant, meter and channel. */
  series(): Promise<readonly NamedSeries[]> {
    return seriesOfTable(this.#parts.table, erasable.families);
  }

  /** From the first to the last day that has something of the series, in whichever layer. */
  async daysOf(series: NamedSeries): Promise<{ readonly fromMs: number; readonly toMs: number }> {
    const range = under(seriesPrefix(series));
    const filter = chain(inQualifiers({ family: tables.readings.segments }), firstCellOnly, withoutValues);
    let fromMs = Infinity;
    let toMs = 0;
    for await (const { key } of this.#parts.table.scan(range, filter, 2_000)) {
      const startMs = dayOf(key) * dayMs;
      fromMs = Math.min(fromMs, startMs);
      toMs = startMs + dayMs;
    }
    return { fromMs, toMs };
  }

  #check({ layer }: SeriesDays): void {
    if (layer !== this.#layer) {
      throw new RangeError(`this store holds the ${this.#layer} layer, not ${layer}`);
    }
  }
}
