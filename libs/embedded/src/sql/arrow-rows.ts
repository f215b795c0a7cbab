import type * as arrowLibrary from 'apache-arrow';
import { decimalInteger, parquetDecimals, type ParquetColumn, type ParquetRow } from './parquet-rows.ts';

type Arrow = typeof arrowLibrary;
type Data = arrowLibrary.Data;

const decimalDigits = 38;
const decimalBits = 128;
const endOfStreamBytes = 8;

/**
 * The IPC streaming format: the schema, then a record batch for each of the row sets. Decimals are DECIMAL(38, 9), instants
 * milliseconds in the zone, counts 64-bit integers.
 */
export async function* arrowRows(
  columns: readonly ParquetColumn[],
  rows: AsyncIterable<readonly ParquetRow[]>,
  timeZone: string,
): AsyncGenerator<Uint8Array> {
  // Loaded here, so that who asks for no Arrow does not pay for it.
  const arrow = await import('apache-arrow');
  const fields = columns.map(({ name, kind }) => new arrow.Field(name, typeOf(arrow, kind, timeZone), true));
  const schema = new arrow.Schema(fields);
  const bytes = (batches: arrowLibrary.RecordBatch[]): Uint8Array =>
    arrow.tableToIPC(new arrow.Table(schema, batches), 'stream');
  const empty = bytes([]);
  const headBytes = schemaBytes(empty);
  yield empty.subarray(0, headBytes);
  for await (const some of rows) {
    if (some.length > 0) {
      const columnOf = (index: number): ParquetRow => some.map((row) => row[index] ?? null);
      const children = columns.map(({ kind }, index) => dataOf(arrow, kind, { cells: columnOf(index), timeZone }));
      const data = arrow.makeData({ type: new arrow.Struct(fields), length: some.length, nullCount: 0, children });
      yield bytes([new arrow.RecordBatch(schema, data)]).subarray(headBytes, -endOfStreamBytes);
    }
  }
  yield empty.subarray(-endOfStreamBytes);
}

function typeOf(arrow: Arrow, kind: ParquetColumn['kind'], timeZone: string): arrowLibrary.DataType {
  switch (kind) {
    case 'text':
      return new arrow.Utf8();
    case 'instant':
      return new arrow.TimestampMillisecond(timeZone);
    case 'count':
      return new arrow.Int64();
    case 'decimal':
      return new arrow.Decimal(parquetDecimals, decimalDigits, decimalBits);
  }
}

/** The first message of a stream: a mark, the length of its metadata, its metadata. */
function schemaBytes(stream: Uint8Array): number {
  return 8 + new DataView(stream.buffer, stream.byteOffset).getInt32(4, true);
}

function dataOf(
  arrow: Arrow,
  kind: ParquetColumn['kind'],
  { cells, timeZone }: { readonly cells: ParquetRow; readonly timeZone: string },
): Data {
  const common = { length: cells.length, ...presence(cells) };
  switch (kind) {
    case 'text':
      return arrow.makeData({ type: new arrow.Utf8(), ...common, ...textBytes(cells) });
    case 'instant':
      return arrow.makeData({ type: new arrow.TimestampMillisecond(timeZone), ...common, data: longs(cells) });
    case 'count':
      return arrow.makeData({ type: new arrow.Int64(), ...common, data: longs(cells) });
    case 'decimal': {
      const type = new arrow.Decimal(parquetDecimals, decimalDigits, decimalBits);
      return arrow.makeData({ type, ...common, data: decimalWords(cells) });
    }
  }
}

function presence(cells: ParquetRow): { readonly nullCount: number; readonly nullBitmap: Uint8Array } {
  const nullBitmap = new Uint8Array(Math.ceil(cells.length / 8));
  let nullCount = 0;
  cells.forEach((cell, row) => {
    if (cell === null) {
      nullCount += 1;
    } else {
      nullBitmap[row >> 3] = (nullBitmap[row >> 3] as number) | (1 << (row & 7));
    }
  });
  return { nullCount, nullBitmap };
}

function longs(cells: ParquetRow): BigInt64Array {
  return BigInt64Array.from(cells, (cell) => BigInt(cell ?? 0));
}

function textBytes(cells: ParquetRow): { readonly valueOffsets: Int32Array; readonly data: Uint8Array } {
  const texts = cells.map((cell) => Buffer.from(cell === null ? '' : String(cell)));
  const valueOffsets = new Int32Array(cells.length + 1);
  texts.forEach(({ length }, row) => {
    valueOffsets[row + 1] = (valueOffsets[row] as number) + length;
  });
  return { valueOffsets, data: new Uint8Array(Buffer.concat(texts)) };
}

/** Two's complement, the lowest word first. */
function decimalWords(cells: ParquetRow): Uint32Array {
  const words = new Uint32Array(cells.length * 4);
  cells.forEach((cell, row) => {
    let rest = BigInt.asUintN(decimalBits, cell === null ? 0n : decimalInteger(String(cell)));
    for (let word = 0; word < 4; word++) {
      words[row * 4 + word] = Number(rest & 0xffff_ffffn);
      rest >>= 32n;
    }
  });
  return words;
}
