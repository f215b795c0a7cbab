import { CompactStruct } from './compact-struct.ts';
import type { ColumnKind, ColumnPages } from './parquet-column.ts';

/*
 * Numbers of the Parquet format (parquet.thrift). A file here is one row group, each column one page (two with a
 * dictionary), nothing compressed, nothing optional: all that a load job needs, and it costs next to no CPU.
 */
const physical = { int64: 2, bytes: 6, fixed: 7 } as const;
const encodings = { plain: 0, runs: 3, dictionary: 8 } as const;
const pages = { data: 0, dictionary: 2 } as const;
const converted = { utf8: 0, decimal: 5, micros: 10 } as const;
const required = 0;
const uncompressed = 0;
const magic = new TextEncoder().encode('PAR1');

const decimalPrecision = 38;
export const decimalScale = 9;

/** Puts columns of `rows` rows each into one file. */
export function parquetFile(columns: readonly ColumnPages[], rows: number): Uint8Array {
  const parts: Uint8Array[] = [magic];
  let offset = magic.length;
  const add = (...added: readonly Uint8Array[]): void => {
    for (const part of added) {
      parts.push(part);
      offset += part.length;
    }
  };
  const chunks = columns.map((column) => {
    const startsAt = offset;
    if (column.dictionary !== undefined) {
      add(dictionaryHeader(column.dictionary), column.dictionary.values);
    }
    const valuesAt = offset;
    add(dataHeader(column, rows), column.values);
    return { column, startsAt, valuesAt, length: offset - startsAt };
  });
  const footer = fileFooter(chunks, rows);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, footer.length, true);
  add(footer, length, magic);
  return Buffer.concat(parts, offset);
}

interface PlacedColumn {
  readonly column: ColumnPages;
  readonly startsAt: number;
  readonly valuesAt: number;
  readonly length: number;
}

function dictionaryHeader({ count, values }: NonNullable<ColumnPages['dictionary']>): Uint8Array {
  return new CompactStruct()
    .int32(1, pages.dictionary)
    .int32(2, values.length)
    .int32(3, values.length)
    .struct(7, new CompactStruct().int32(1, count).int32(2, encodings.plain))
    .finish();
}

function dataHeader(column: ColumnPages, rows: number): Uint8Array {
  const encoding = column.dictionary === undefined ? encodings.plain : encodings.dictionary;
  return new CompactStruct()
    .int32(1, pages.data)
    .int32(2, column.values.length)
    .int32(3, column.values.length)
    .struct(5, new CompactStruct().int32(1, rows).int32(2, encoding).int32(3, encodings.runs).int32(4, encodings.runs))
    .finish();
}

function fileFooter(columns: readonly PlacedColumn[], rows: number): Uint8Array {
  const root = new CompactStruct().text(4, 'rows').int32(5, columns.length);
  const bytes = columns.reduce((sum, { length }) => sum + length, 0);
  const rowGroup = new CompactStruct()
    .structs(
      1,
      columns.map((column) => columnChunk(column, rows)),
    )
    .int64(2, bytes)
    .int64(3, rows);
  return new CompactStruct()
    .int32(1, 2)
    .structs(2, [root, ...columns.map(({ column }) => schemaElement(column.name, column.kind))])
    .int64(3, rows)
    .structs(4, [rowGroup])
    .text(6, 'meterflow')
    .finish();
}

function columnChunk({ column, startsAt, valuesAt, length }: PlacedColumn, rows: number): CompactStruct {
  const encoded = column.dictionary === undefined ? [encodings.plain] : [encodings.plain, encodings.dictionary];
  const metadata = new CompactStruct()
    .int32(1, physicalType(column.kind))
    .int32s(2, encoded)
    .texts(3, [column.name])
    .int32(4, uncompressed)
    .int64(5, rows)
    .int64(6, length)
    .int64(7, length)
    .int64(9, valuesAt);
  if (column.dictionary !== undefined) {
    metadata.int64(11, startsAt);
  }
  return new CompactStruct().int64(2, startsAt).struct(3, metadata);
}

function schemaElement(name: string, kind: ColumnKind): CompactStruct {
  const element = new CompactStruct().int32(1, physicalType(kind));
  if (kind === 'decimal') {
    element.int32(2, 16);
  }
  element.int32(3, required).text(4, name);
  switch (kind) {
    case 'text':
      return element.int32(6, converted.utf8);
    case 'instant':
      return element.int32(6, converted.micros);
    case 'decimal':
      return element.int32(6, converted.decimal).int32(7, decimalScale).int32(8, decimalPrecision);
    case 'bytes':
    case 'integer':
      return element;
  }
}

function physicalType(kind: ColumnKind): number {
  switch (kind) {
    case 'text':
    case 'bytes':
      return physical.bytes;
    case 'integer':
    case 'instant':
      return physical.int64;
    case 'decimal':
      return physical.fixed;
  }
}
