import { MessageReader } from './message-reader.ts';
import { writeMutations, type Mutation } from './mutations.ts';
import { ReverseWriter } from './reverse-writer.ts';
import type { RowFilter } from './row-filter.ts';

export interface TableName {
  readonly table: string;
  readonly appProfile: string;
}

export interface Check {
  readonly key: Uint8Array;
  /** True of a row when any cell passes. */
  readonly predicate: RowFilter;
  readonly whenTrue?: readonly Mutation[];
  readonly whenFalse?: readonly Mutation[];
}

export function encodeCheck({ table, appProfile }: TableName, check: Check): Buffer {
  const writer = new ReverseWriter();
  writer.textField(7, appProfile);
  writer.bytesField(6, check.predicate);
  writeMutations(writer, 5, check.whenFalse ?? []);
  writeMutations(writer, 4, check.whenTrue ?? []);
  writer.bytesField(2, check.key);
  writer.textField(1, table);
  return writer.view(0);
}

/** Whether the predicate held. */
export function decodeCheck(bytes: Buffer): boolean {
  const answer = new MessageReader(bytes);
  let matched = false;
  while (answer.next()) {
    if (answer.field === 1) {
      matched = answer.varint() > 0;
    } else {
      answer.skip();
    }
  }
  return matched;
}

export interface Increment {
  readonly key: Uint8Array;
  readonly family: string;
  readonly qualifier: Uint8Array;
  readonly by: number;
}

export function encodeIncrement({ table, appProfile }: TableName, { key, family, qualifier, by }: Increment): Buffer {
  const writer = new ReverseWriter();
  writer.textField(4, appProfile);
  const { length } = writer;
  writer.numberField(4, by);
  writer.bytesField(2, qualifier);
  writer.textField(1, family);
  writer.head(3, length);
  writer.bytesField(2, key);
  writer.textField(1, table);
  return writer.view(0);
}

/** The one cell of the answer's row: an integer of 64 bits. */
export function decodeIncrement(bytes: Buffer): number {
  // row = 1, its families = 2, their columns = 2, their cells = 2, their value = 2.
  let message = new MessageReader(bytes);
  for (const field of [1, 2, 2, 2]) {
    message = within(message, field);
  }
  while (message.next()) {
    if (message.field === 2) {
      return Number(message.view().readBigUInt64BE());
    }
    message.skip();
  }
  return 0;
}

function within(message: MessageReader, field: number): MessageReader {
  while (message.next()) {
    if (message.field === field) {
      return message.message();
    }
    message.skip();
  }
  return message;
}
