import { ReverseWriter } from './reverse-writer.ts';

/** A filter as its message's bytes. */
export type RowFilter = Uint8Array;

export interface QualifierRange {
  readonly family: string;
  /** Inclusive; from the first without it. */
  readonly from?: Uint8Array;
  /** Exclusive; to the last without it. */
  readonly to?: Uint8Array;
}

/** Cells of a family whose qualifier lies in [from, to). */
export function inQualifiers({ family, from, to }: QualifierRange): RowFilter {
  return written((writer) => {
    const { length } = writer;
    if (to !== undefined) {
      writer.bytesField(5, to);
    }
    if (from !== undefined) {
      writer.bytesField(2, from);
    }
    writer.textField(1, family);
    writer.head(7, length);
  });
}

/** Cells with a timestamp in [fromMicros, toMicros); 0 for no end. */
export function inTime(fromMicros: number, toMicros: number): RowFilter {
  return written((writer) => {
    const { length } = writer;
    writer.numberField(2, toMicros);
    writer.numberField(1, fromMicros);
    writer.head(8, length);
  });
}

/** Cells whose value is just this. */
export function withValue(value: Uint8Array): RowFilter {
  return written((writer) => {
    const { length } = writer;
    writer.bytesField(3, value);
    writer.bytesField(1, value);
    writer.head(15, length);
  });
}

/** What passes all of them, one after the other. */
export function chain(...filters: readonly RowFilter[]): RowFilter {
  return filters.length === 1 ? (filters[0] as RowFilter) : group(1, filters);
}

/** What passes any of them. */
export function anyOf(...filters: readonly RowFilter[]): RowFilter {
  return filters.length === 1 ? (filters[0] as RowFilter) : group(2, filters);
}

/** The newest cell of each column. */
export const newestOnly: RowFilter = written((writer) => {
  writer.numberField(12, 1);
});

/** The first cell of each row: tells which rows there are. */
export const firstCellOnly: RowFilter = written((writer) => {
  writer.numberField(11, 1);
});

/** Cells without their values. */
export const withoutValues: RowFilter = written((writer) => {
  writer.numberField(13, 1);
});

function group(field: number, filters: readonly RowFilter[]): RowFilter {
  return written((writer) => {
    const { length } = writer;
    for (const filter of filters.toReversed()) {
      writer.bytesField(1, filter);
    }
    writer.head(field, length);
  });
}

function written(write: (writer: ReverseWriter) => void): RowFilter {
  const writer = new ReverseWriter();
  write(writer);
  return Uint8Array.from(writer.view(0));
}
