import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { CorruptSegmentError, UnstorableBatchError } from '@meterflow/idempotent-writes';
import { IntegrityError, PermanentError } from '@meterflow/stage';
import { openDatabase, storeError, transaction } from '../database.ts';

export interface StoreFileOptions {
  readonly file: string;
  readonly schema: string;
  readonly additions?: string;
  /** The file grows no further: a write beyond fails as on a full disk. */
  readonly bytesMax?: number;
}

const formatVersion = 1;
/** Days are blobs of some hundred bytes: larger pages hold them with fewer splits than SQLite's own 4,096 bytes. */
const pageBytes = 16_384;
const cacheBytesMax = 16 * 1024 * 1024;

/** One file of readings or aggregates: its database, and what its errors mean to a stage. */
export class StoreFile {
  readonly file: string;
  readonly database: DatabaseSync;
  readonly #version: StatementSync;
  #seenVersion: number;

  constructor({ file, schema, additions, bytesMax }: StoreFileOptions) {
    this.file = file;
    this.database = openDatabase(file, {
      ...{ schema, formatVersion, durability: 'full', pageBytes },
      ...(additions === undefined ? {} : { additions }),
    });
    if (bytesMax !== undefined) {
      this.database.exec(`pragma max_page_count = ${Math.floor(bytesMax / pageBytes)}`);
    }
    this.database.exec(`pragma cache_size = ${-cacheBytesMax / 1024}`);
    this.#version = this.database.prepare('pragma data_version');
    this.#seenVersion = this.#dataVersion();
  }

  /** Reads. Errors name the file. */
  read<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw this.#named(error);
    }
  }

  /** Runs `work` in one write transaction, durable when it returns. `forget` drops what memory no longer knows. */
  write<Result>(forget: () => void, work: () => Result): Result {
    try {
      return transaction(this.database, () => {
        const version = this.#dataVersion();
        if (version !== this.#seenVersion) {
          this.#seenVersion = version;
          forget();
        }
        return work();
      });
    } catch (error) {
      forget();
      throw this.#named(error);
    }
  }

  /** Work over turns of the event loop. Errors name the file. */
  async named<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw this.#named(error);
    }
  }

  close(): void {
    this.database.close();
  }

  /** Changes whenever another connection has written the file. */
  #dataVersion(): number {
    return Number(this.#version.get()?.['data_version']);
  }

  #named(error: unknown): Error {
    if (error instanceof UnstorableBatchError) {
      return new PermanentError(error.code, error.message, { cause: error });
    }
    if (error instanceof CorruptSegmentError) {
      return new IntegrityError('corrupt-segment', `${this.file} is damaged: ${error.message}`, { cause: error });
    }
    return storeError(error, this.file);
  }
}
