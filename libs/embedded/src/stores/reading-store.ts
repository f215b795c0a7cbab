import type {
  ErasableStore,
  Erased,
  Erasure,
  HistorySegment,
  KnownBy,
  Origin,
  OutcomeCounts,
  ReadingHistory,
  ReadingStore,
  ReadingWrite,
  Segment,
  SeriesDays,
  SeriesLayer,
} from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import { PermanentError } from '@meterflow/stage';
import { asOf } from './as-of.ts';
import { erase, found } from './erasure.ts';
import { GatheredReads } from './gathered-reads.ts';
import { originsSchema, originTables } from './origins.ts';
import { ReadingReader, type SeriesSegment } from './reading-reader.ts';
import { daysPerSeries, readingSchema } from './reading-schema.ts';
import { ReadingWriter } from './reading-writer.ts';
import type { SeriesFilter, StoredSeries } from './series-reader.ts';
import { StoreFile } from './store-file.ts';

export interface ReadingStoreOptions {
  /** `dataDirectory(…).store(layer)`. */
  readonly file: string;
  readonly layer: Layer;
  /** Of a store of validated readings: where the raw ones came from, which tells when declared versions were accepted. */
  readonly originsOfRaw?: (days: SeriesDays) => Promise<readonly Origin[]>;
  /** The file grows no further: a write beyond fails as on a full disk. */
  readonly bytesMax?: number;
}

const erasable = {
  tables: ['days'],
  historyTables: ['history'],
  otherTables: originTables,
  keysPerSeries: daysPerSeries,
};

/** Opens one layer's readings; the file is made where there is none. Several processes may have it open. */
export function openReadingStore(options: ReadingStoreOptions): EmbeddedReadingStore {
  return new EmbeddedReadingStore(options);
}

/**
 * One layer's readings in one SQLite file. Reads see the last commit. A write holds the file's write lock for the time
 * of its transaction; a process that only reads never takes it.
 */
export class EmbeddedReadingStore implements ReadingStore, ReadingHistory, ErasableStore {
  readonly #store: StoreFile;
  readonly #layer: Layer;
  readonly #reader: ReadingReader;
  readonly #reads: GatheredReads<SeriesDays, readonly Segment[]>;
  readonly #originsOfRaw: (days: SeriesDays) => Promise<readonly Origin[]>;
  /** Made with the first write: most openers only read. */
  #writer: ReadingWriter | undefined;

  constructor({ file, layer, bytesMax, originsOfRaw = () => Promise.resolve([]) }: ReadingStoreOptions) {
    this.#store = new StoreFile({
      ...{ file, schema: readingSchema, additions: originsSchema },
      ...(bytesMax === undefined ? {} : { bytesMax }),
    });
    this.#layer = layer;
    const reader = new ReadingReader(this.#store, layer);
    this.#reader = reader;
    this.#reads = new GatheredReads({
      together: (all) => reader.readMany(all),
      alone: (days) => reader.read(days),
    });
    this.#originsOfRaw = layer === 'raw' ? (days) => this.origins(days) : originsOfRaw;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the file is written at once; errors reject
  async write(writes: readonly ReadingWrite[]): Promise<readonly OutcomeCounts[]> {
    const stranger = writes.find(({ batch }) => batch.layer !== this.#layer);
    if (stranger !== undefined) {
      throw new PermanentError(
        'wrong-layer',
        `a batch of ${stranger.batch.layer} readings in the store of ${this.#layer} ones`,
      );
    }
    const writer = (this.#writer ??= new ReadingWriter(this.#store, this.#layer));
    const forget = (): void => {
      writer.forget();
    };
    return this.#store.write(forget, () => writer.write(writes));
  }

  read(days: SeriesDays): Promise<readonly Segment[]> {
    return this.#reads.read(days);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async firstMs(series: SeriesLayer): Promise<number | undefined> {
    return this.#reader.firstMs(series);
  }

  /** See ReadingHistory. */
  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async history(days: SeriesDays): Promise<readonly HistorySegment[]> {
    return this.#reader.history(days);
  }

  /** See ReadingHistory. */
  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async origins(days: SeriesDays): Promise<readonly Origin[]> {
    return this.#reader.origins(days);
  }

  /** See ReadingHistory. */
  async asOf(days: SeriesDays, known: KnownBy): Promise<readonly Segment[]> {
    // What stands first, then what stood: what is superseded meanwhile is in both. What brought them last: it says more of them.
    const latest = this.#reader.read(days);
    const earlier = this.#reader.history(days);
    const origins = await this.#originsOfRaw({ ...days, layer: 'raw' });
    return asOf({ versions: [...earlier, ...latest], known, origins });
  }

  /** By tenant, meter and channel, in the order of their UTF-8 bytes. */
  series(filter?: SeriesFilter): Iterable<StoredSeries> {
    return this.#reader.series(filter);
  }

  /** Every segment by tenant, meter, channel and day; a page in memory at a time, and no writer held up. */
  segments(filter?: SeriesFilter): Iterable<SeriesSegment> {
    return this.#reader.segments(filter);
  }

  /** Every segment in the order of the file, which is the fastest. */
  segmentsByKey(): Iterable<SeriesSegment> {
    return this.#reader.segmentsByKey();
  }

  /** Deletes for good what is stored of a series or tenant; batches accepted up to `upTo` (an instant) stay out. */
  async erase(erasure: Erasure): Promise<Erased> {
    // A connection of its own: this one works on, and sees the other's commit as it sees that of any process.
    const store = new StoreFile({ file: this.#store.file, schema: readingSchema, additions: originsSchema });
    try {
      return await erase(store, erasure, erasable);
    } finally {
      store.close();
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the file is read at once; errors reject
  async found(erasure: Erasure): Promise<Erased> {
    return found(this.#store, erasure, erasable);
  }

  close(): void {
    this.#store.close();
  }
}
