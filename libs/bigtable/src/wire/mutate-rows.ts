import { MessageReader } from './message-reader.ts';
import { writeMutations, type Mutation } from './mutations.ts';
import { ReverseWriter } from './reverse-writer.ts';

/** A change of one row, encoded: a piece of a request's bytes. */
export type EncodedEntry = Uint8Array;

/** One change of a row. */
export interface RowChange {
  readonly key: Uint8Array;
  readonly mutations: readonly Mutation[];
}

export function encodeEntries(changes: readonly RowChange[]): EncodedEntry[] {
  const writer = new ReverseWriter();
  const ends = changes.map(({ key, mutations }) => {
    const { length } = writer;
    writeMutations(writer, 2, mutations);
    writer.bytesField(1, key);
    writer.head(2, length);
    return writer.length;
  });
  return cutEntries(writer, ends);
}

/** Entries that were written one after the other, as pieces of one buffer; `ends`: how long the writer was after each. */
export function cutEntries(writer: ReverseWriter, ends: readonly number[]): EncodedEntry[] {
  const all = Buffer.from(writer.view(0));
  let end = 0;
  return ends.map((length) => {
    const entry = all.subarray(all.length - length, all.length - end);
    end = length;
    return entry;
  });
}

export function encodeMutateRows(
  { table, appProfile }: { readonly table: string; readonly appProfile: string },
  entries: readonly EncodedEntry[],
): Buffer {
  const writer = new ReverseWriter();
  writer.textField(3, appProfile);
  writer.textField(1, table);
  return Buffer.concat([writer.view(0), ...entries]);
}

/** What became of one entry of a request. */
export interface EntryStatus {
  readonly index: number;
  readonly code: number;
  readonly message: string;
}

/** The failed entries of a part of the answer; `seen` gets how many it tells of. */
export function failedEntries(bytes: Buffer): { readonly seen: number; readonly failed: readonly EntryStatus[] } {
  const answer = new MessageReader(bytes);
  const entry = new MessageReader(bytes);
  const failed: EntryStatus[] = [];
  let seen = 0;
  while (answer.next()) {
    if (answer.field !== 1) {
      answer.skip();
      continue;
    }
    const start = answer.skipBytes();
    entry.open(bytes, start, answer.position);
    const status = statusOf(entry);
    seen += 1;
    if (status !== undefined) {
      failed.push(status);
    }
  }
  return { seen, failed };
}

function statusOf(entry: MessageReader): EntryStatus | undefined {
  let index = 0;
  let code = 0;
  let message = '';
  while (entry.next()) {
    if (entry.field === 1) {
      index = entry.varint();
    } else if (entry.field === 2) {
      const status = entry.message();
      while (status.next()) {
        if (status.field === 1) {
          code = status.varint();
        } else if (status.field === 2) {
          message = status.view().toString();
        } else {
          status.skip();
        }
      }
    } else {
      entry.skip();
    }
  }
  return code === 0 ? undefined : { index, code, message };
}
