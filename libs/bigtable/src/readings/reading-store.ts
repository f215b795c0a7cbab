import type { OutcomeCounts, ReadingStore, ReadingWrite, Segment, SeriesDays } from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import { PermanentError } from '@meterflow/stage';
import { ReadingReader } from './reading-reader.ts';
import { ReadingWriter, type ReadingWriterParts } from './reading-writer.ts';
import { withStoredErrors } from './stored-errors.ts';

/**
 * One layer's readings. A write adds segments and reads none away, so that writers never meet; outcomes are judged by
 * what was there before and are advisory. What a read gives is exact.
 */
export class BigtableReadingStore implements ReadingStore {
  readonly #layer: Layer;
  readonly #table: string;
  readonly #writer: ReadingWriter;
  readonly #reader: ReadingReader;

  constructor(parts: ReadingWriterParts) {
    this.#layer = parts.layer;
    this.#table = parts.table.name;
    this.#writer = new ReadingWriter(parts);
    this.#reader = new ReadingReader(parts.table, parts.tombstones);
  }

  async write(writes: readonly ReadingWrite[]): Promise<readonly OutcomeCounts[]> {
    const stranger = writes.find(({ batch }) => batch.layer !== this.#layer);
    if (stranger !== undefined) {
      const found = stranger.batch.layer;
      throw new PermanentError('wrong-layer', `a batch of ${found} readings in the store of ${this.#layer} ones`);
    }
    return withStoredErrors(this.#table, () => this.#writer.write(writes));
  }

  async read(days: SeriesDays): Promise<readonly Segment[]> {
    this.#check(days);
    return withStoredErrors(this.#table, () => this.#reader.read(days));
  }

  /** What was superseded, oldest first within each day. */
  async history(days: SeriesDays): Promise<readonly Segment[]> {
    this.#check(days);
    return withStoredErrors(this.#table, () => this.#reader.history(days));
  }

  /** The latest readings among those that had been accepted by the instant. */
  async asOf(days: SeriesDays, instantMs: number): Promise<readonly Segment[]> {
    this.#check(days);
    return withStoredErrors(this.#table, () => this.#reader.asOf(days, instantMs));
  }

  #check({ layer }: SeriesDays): void {
    if (layer !== this.#layer) {
      throw new RangeError(`this store holds the ${this.#layer} layer, not ${layer}`);
    }
  }
}
