import type { ReverseWriter } from './reverse-writer.ts';

/** One change of a row. They are done in their order, all or none. */
export type Mutation =
  | { readonly set: Cell }
  /** Deletes just this cell; without a timestamp all cells of the column. */
  | { readonly remove: { readonly family: string; readonly qualifier: Uint8Array; readonly micros?: number } }
  | { readonly removeRow: true };

export interface Cell {
  readonly family: string;
  readonly qualifier: Uint8Array;
  /** Whole milliseconds, above 0: 0 would mean the server's time. */
  readonly micros: number;
  readonly value: Uint8Array;
}

export function writeMutations(writer: ReverseWriter, field: number, mutations: readonly Mutation[]): void {
  for (const mutation of mutations.toReversed()) {
    const { length } = writer;
    if ('set' in mutation) {
      const { family, qualifier, micros, value } = mutation.set;
      writer.bytesField(4, value);
      writer.numberField(3, micros);
      writer.bytesField(2, qualifier);
      writer.textField(1, family);
      writer.head(1, length);
    } else if ('remove' in mutation) {
      writeRemove(writer, mutation.remove);
    } else {
      writer.head(4, length);
    }
    writer.head(field, length);
  }
}

function writeRemove(
  writer: ReverseWriter,
  { family, qualifier, micros }: { readonly family: string; readonly qualifier: Uint8Array; readonly micros?: number },
): void {
  const { length } = writer;
  if (micros !== undefined) {
    writer.numberField(2, micros + 1_000);
    writer.numberField(1, micros);
    writer.head(3, length);
  }
  writer.bytesField(2, qualifier);
  writer.textField(1, family);
  writer.head(2, length);
}
