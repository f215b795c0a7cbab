import type { AggregateBatch, SheetLevel } from '@meterflow/aggregates';
import type {
  AggregateStore,
  AggregateWrite,
  ErasableStore,
  Erased,
  Erasure,
  OutcomeCounts,
  SeriesSheets,
} from '@meterflow/idempotent-writes';
import { AggregateReader } from './aggregate-reader.ts';
import { aggregateSchema, sheetsPerSeries, sheetTables } from './aggregate-schema.ts';
import { AggregateWriter } from './aggregate-writer.ts';
import { erase, found } from './erasure.ts';
import { GatheredReads } from './gathered-reads.ts';
import type { SeriesFilter, StoredSeries } from './series-reader.ts';
import { StoreFile } from './store-file.ts';

export interface AggregateStoreOptions {
  /** `dataDirectory(…).store('aggregates')`. */
  readonly file: string;
  /** The file grows no further: a write beyond fails as on a full disk. */
  readonly bytesMax?: number;
}

const erasable = { tables: Object.values(sheetTables), historyTables: [], keysPerSeries: sheetsPerSeries };

/** Opens the aggregates; the file is made where there is none. Several processes may have it open. */
export function openAggregateStore(options: AggregateStoreOptions): EmbeddedAggregateStore {
  return new EmbeddedAggregateStore(options);
}

/** Hours, days and months in one SQLite file. Reads see the last commit and hold up no writer. */
export class EmbeddedAggregateStore implements AggregateStore, ErasableStore {
  readonly #store: StoreFile;
  readonly #reader: AggregateReader;
  readonly #reads: GatheredReads<SeriesSheets, AggregateBatch>;
  /** Made with the first write: most openers only read. */
  #writer: AggregateWriter | undefined;

  constructor({ file, bytesMax }: AggregateStoreOptions) {
    this.#store = new StoreFile({ file, schema: aggregateSchema, ...(bytesMax === undefined ? {} : { bytesMax }) });
    const reader = new AggregateReader(this.#store);
    this.#reader = reader;
    this.#reads = new GatheredReads({
      together: (all) => reader.readMany(all),
      alone: (sheets) => reader.read(sheets),
    });
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the file is written at once; errors reject
  async write(writes: readonly AggregateWrite[]): Promise<readonly OutcomeCounts[]> {
    const writer = (this.#writer ??= new AggregateWriter(this.#store));
    const forget = (): void => {
      writer.forget();
    };
    return this.#store.write(forget, () => writer.write(writes));
  }

  read(sheets: SeriesSheets): Promise<AggregateBatch> {
    return this.#reads.read(sheets);
  }

  /** By tenant, meter and channel, in the order of their UTF-8 bytes. */
  series(filter?: SeriesFilter): Iterable<StoredSeries> {
    return this.#reader.series(filter);
  }

  /** All sheets of a level by tenant, meter, channel and start; a batch in memory at a time, and no writer held up. */
  batches(level: SheetLevel, filter?: SeriesFilter): Iterable<AggregateBatch> {
    return this.#reader.batches(level, filter);
  }

  /** Deletes for good what is stored of a series or tenant; sheets of tickets up to `upTo` stay out. */
  async erase(erasure: Erasure): Promise<Erased> {
    // As for readings: a connection of its own.
    const store = new StoreFile({ file: this.#store.file, schema: aggregateSchema });
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
