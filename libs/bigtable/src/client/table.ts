import { PermanentError, TransientError } from '@meterflow/stage';
import { failedEntries, type EncodedEntry, type EntryStatus } from '../wire/mutate-rows.ts';
import { encodeEntries, encodeMutateRows, type RowChange } from '../wire/mutate-rows.ts';
import { MalformedAnswerError } from '../wire/message-reader.ts';
import type { Mutation } from '../wire/mutations.ts';
import { encodeReadRows, RowAssembler, type RowSet, type StoredRow } from '../wire/read-rows.ts';
import type { RowFilter } from '../wire/row-filter.ts';
import {
  decodeCheck,
  decodeIncrement,
  encodeCheck,
  encodeIncrement,
  type Check,
  type Increment,
} from '../wire/single-row.ts';
import type { Connection } from './connection.ts';
import { callError, namedError } from './errors.ts';
import {
  cellBytesMax,
  readKeysMax,
  requestBytesMax,
  requestEntriesMax,
  requestMutationsMax,
  rowBytesMax,
  rowKeyBytesMax,
} from './limits.ts';
import { withRetries, type RetryPorts } from './retry.ts';

export interface ReadOptions extends RowSet {
  readonly filter: RowFilter;
  readonly rowsMax?: number;
}

export type { RowChange } from '../wire/mutate-rows.ts';

/** What stores of rows need of a table. Changes of a row are done in their order, all or none. */
export type RowTable = Pick<Table, 'name' | 'read' | 'scan' | 'mutate' | 'mutateEncoded'>;

/**
 * A table, through a connection. Reads, sets, and deletes of named cells are repeated a few times while the service is
 * not to be reached; each gives the same end state however often it is done.
 */
export class Table {
  readonly name: string;
  readonly #connection: Connection;
  readonly #retry: RetryPorts;
  readonly #target: { readonly table: string; readonly appProfile: string };

  constructor(connection: Connection, name: string, retry: RetryPorts) {
    this.name = name;
    this.#connection = connection;
    this.#retry = retry;
    this.#target = { table: connection.tableName(name), appProfile: connection.appProfile };
  }

  /** Rows in the order of their keys. */
  async read({ keys = [], ranges = [], filter, rowsMax = 0 }: ReadOptions): Promise<StoredRow[]> {
    const rows: StoredRow[] = [];
    for (let from = 0; from === 0 || from < keys.length; from += readKeysMax) {
      const set = { keys: keys.slice(from, from + readKeysMax), ranges: from === 0 ? ranges : [] };
      if (set.keys.length + set.ranges.length > 0) {
        rows.push(...(await this.#readOnce({ ...set, filter, rowsMax })));
      }
    }
    return keys.length > readKeysMax ? rows.sort((a, b) => a.key.compare(b.key)) : rows;
  }

  /** One row; without cells where there is none. */
  async readRow(key: Uint8Array, filter: RowFilter): Promise<StoredRow> {
    const [row] = await this.read({ keys: [key], filter });
    return row ?? { key: Buffer.from(key), cells: [] };
  }

  /** Rows of a range, page by page: the next page is read when the caller comes to it. */
  async *scan(
    range: { from: Uint8Array; to: Uint8Array },
    filter: RowFilter,
    pageRows: number,
  ): AsyncGenerator<StoredRow> {
    let { from } = range;
    for (;;) {
      const rows = await this.read({ ranges: [{ from, to: range.to }], filter, rowsMax: pageRows });
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageRows) {
        return;
      }
      from = Buffer.concat([last.key, Buffer.of(0)]);
    }
  }

  /** Changes rows, each by itself: all or none of a row. Resolves when all are durable. */
  async mutate(changes: readonly RowChange[]): Promise<void> {
    for (const { key, mutations } of changes) {
      checkChange(key, mutations);
    }
    for (const together of mutationsWithin(changes, requestMutationsMax)) {
      await this.mutateEncoded(encodeEntries(together));
    }
  }

  /**
   * The same of entries that are encoded already, keep the bounds of `checkChange`, and hold at most
   * `encodedMutationsMax` mutations each.
   */
  async mutateEncoded(entries: readonly EncodedEntry[]): Promise<void> {
    let from = 0;
    while (from < entries.length) {
      let bytes = 0;
      let to = from;
      while (to < entries.length && to - from < requestEntriesMax && (to === from || bytes < requestBytesMax)) {
        bytes += (entries[to] as EncodedEntry).length;
        to += 1;
      }
      await this.#mutateRequest(entries.slice(from, to));
      from = to;
    }
  }

  /**
   * Changes a row by what it holds, in one step, and tells which way. Its answer may be lost: after a retry it may say
   * that what it did itself was done before.
   */
  async check(check: Check): Promise<{ readonly matched: boolean; readonly attempts: number }> {
    checkChange(check.key, [...(check.whenTrue ?? []), ...(check.whenFalse ?? [])]);
    const request = encodeCheck(this.#target, check);
    return this.#retrying(async (attempts) => {
      const answer = await this.#connection.call('CheckAndMutateRow', this.name, request);
      return { matched: decodeCheck(answer), attempts };
    });
  }

  /** Adds and returns the sum. A retry may have added before. */
  async increment(increment: Increment): Promise<number> {
    checkChange(increment.key, []);
    const request = encodeIncrement(this.#target, increment);
    return this.#retrying(async () =>
      decodeIncrement(await this.#connection.call('ReadModifyWriteRow', this.name, request)),
    );
  }

  #readOnce({ rowsMax, ...set }: RowSet & { filter: RowFilter; rowsMax: number }): Promise<StoredRow[]> {
    const request = encodeReadRows({ ...this.#target, ...set, rowsMax });
    return this.#retrying(async () => {
      const rows: StoredRow[] = [];
      const assembler = new RowAssembler((row) => {
        checkRow(this.name, row);
        rows.push(row);
      });
      for await (const part of this.#connection.stream('ReadRows', this.name, request)) {
        assembler.take(part);
      }
      assembler.finish();
      return rows;
    });
  }

  /** Sends what is left until nothing is: entries that failed for now are sent again, the others are done. */
  async #mutateRequest(entries: readonly EncodedEntry[]): Promise<void> {
    let left = entries;
    await this.#retrying(async () => {
      const failed = await this.#send(left);
      const lost = failed.map((status) => callError({ table: this.name, ...status }));
      const hopeless = lost.find((error) => !(error instanceof TransientError));
      if (hopeless !== undefined) {
        throw hopeless;
      }
      left = failed.map(({ index }) => left[index] as EncodedEntry);
      if (lost[0] !== undefined) {
        throw lost[0];
      }
    });
  }

  async #send(entries: readonly EncodedEntry[]): Promise<EntryStatus[]> {
    const request = encodeMutateRows(this.#target, entries);
    const all: EntryStatus[] = [];
    let told = 0;
    for await (const part of this.#connection.stream('MutateRows', this.name, request)) {
      const { seen, failed } = failedEntries(part);
      told += seen;
      all.push(...failed);
    }
    if (told !== entries.length) {
      throw new TransientError(`Bigtable, table ${this.name}: told of ${told} of ${entries.length} changes`);
    }
    return all;
  }

  #retrying<Result>(work: (attempt: number) => Promise<Result>): Promise<Result> {
    return withRetries(this.#retry, async (attempt) => {
      try {
        return await work(attempt);
      } catch (error) {
        if (error instanceof MalformedAnswerError) {
          throw new TransientError(`Bigtable, table ${this.name}: ${error.message}`, { cause: error });
        }
        throw namedError(error, this.name);
      }
    });
  }
}

/** Cuts changes, in their order, into runs that together hold no more mutations than that. */
export function mutationsWithin(changes: readonly RowChange[], mutationsMax: number): (readonly RowChange[])[] {
  const runs: RowChange[][] = [];
  let mutations = mutationsMax;
  for (const change of changes) {
    mutations += change.mutations.length;
    if (mutations > mutationsMax) {
      runs.push([]);
      mutations = change.mutations.length;
    }
    runs.at(-1)?.push(change);
  }
  return runs;
}

/** Throws PermanentError for what the service would refuse. */
function checkChange(key: Uint8Array, mutations: readonly Mutation[]): void {
  checkKey(key);
  if (mutations.length > requestMutationsMax) {
    throw new PermanentError(
      'row-too-many-changes',
      `${mutations.length} changes of a row; at most ${requestMutationsMax}`,
    );
  }
  for (const mutation of mutations) {
    if ('set' in mutation) {
      checkCell(mutation.set.value.length, mutation.set.micros);
    }
  }
}

export function checkKey(key: Uint8Array): void {
  if (key.length === 0 || key.length > rowKeyBytesMax) {
    throw new PermanentError('row-key-too-long', `a row key of ${key.length} bytes; at most ${rowKeyBytesMax}`);
  }
}

export function checkCell(bytes: number, micros: number): void {
  if (bytes > cellBytesMax) {
    throw new PermanentError('cell-too-large', `a cell of ${bytes} bytes; at most ${cellBytesMax}`);
  }
  if (!(micros > 0 && micros % 1_000 === 0)) {
    throw new RangeError(`a cell's time of ${micros} microseconds: it must be whole milliseconds above 0`);
  }
}

function checkRow(table: string, { key, cells }: StoredRow): void {
  const bytes = cells.reduce((sum, { value, qualifier }) => sum + value.length + qualifier.length, 0);
  if (bytes > rowBytesMax) {
    throw new PermanentError(
      'row-too-large',
      `a row of ${table} has ${bytes} bytes; at most ${rowBytesMax} (${key.toString('hex')})`,
    );
  }
}
