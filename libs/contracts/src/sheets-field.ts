import { sumHighUnit, type AggregateRows, type Sheets } from '@meterflow/aggregates';
import { integerMax } from '@meterflow/readings';
import {
  readIntegers,
  readOrZero,
  writeIntegers,
  writeUnlessZero,
  type IntegerColumn,
  type SparseColumn,
} from './integer-column.ts';
import { block, varint, type MessageFields, type MessageShape } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import { readOddRows, writeOddRows } from './odd-rows-field.ts';
import { readPeaks, writePeaks } from './peaks-field.ts';
import type { WireWriter } from './wire-writer.ts';

const { sheetsMax, rowsMax } = messageLimits;

const sheetsShape: MessageShape = [
  undefined,
  block('series'),
  block('start_ms'),
  block('end_ms'),
  block('unit'),
  block('rows'),
  block('declared'),
  block('accepted_at_ms'),
  block('activation'),
];

const rowsShape: MessageShape = [
  undefined,
  block('hour'),
  block('sum_high'),
  block('sum_low_narrow'),
  block('sum_low_wide'),
  block('min_narrow'),
  block('min_wide'),
  block('max_narrow'),
  block('max_wide'),
  block('count'),
  block('quality'),
  varint('peak_step_ms'),
  block('peak_narrow'),
  block('peak_wide'),
  block('odd_rows'),
];

const sumHigh: SparseColumn = { path: 'rows.sum_high', wide: 2, max: integerMax };
const sumLow: IntegerColumn = { path: 'rows.sum_low', narrow: 3, wide: 4, max: sumHighUnit - 1 };
/** Least and greatest are wider than 2^53 where one batch holds very large and very fine values; they keep 53 bits. */
const extremeMax = sumHighUnit * 2 ** 53;
const min: IntegerColumn = { path: 'rows.min', narrow: 5, wide: 6, max: extremeMax };
const max: IntegerColumn = { path: 'rows.max', narrow: 7, wide: 8, max: extremeMax };

const declared: SparseColumn = { path: 'sheets.declared', wide: 6, max: integerMax };
const acceptedAtMs: SparseColumn = { path: 'sheets.accepted_at_ms', wide: 7, max: integerMax };
const activation: SparseColumn = { path: 'sheets.activation', wide: 8, max: integerMax };

export function writeSheets(writer: WireWriter, field: number, sheets: Sheets): void {
  const { mark } = writer;
  writeUnlessZero(writer, sheets.activation, activation);
  writeUnlessZero(writer, sheets.acceptedAtMs, acceptedAtMs);
  writeUnlessZero(writer, sheets.declared, declared);
  writer.column(5, sheets.rows);
  writer.column(4, sheets.unit);
  writer.column(3, sheets.endMs);
  writer.column(2, sheets.startMs);
  writer.column(1, sheets.series);
  writer.message(field, mark);
}

export function readSheets(fields: MessageFields, number: number): Sheets {
  const sheets = fields.message(number, sheetsShape);
  const series = sheets.uint32s(1, sheetsMax);
  const length = { length: series.length, lengthMax: sheetsMax };
  return {
    series,
    startMs: sheets.float64s(2, sheetsMax),
    endMs: sheets.float64s(3, sheetsMax),
    unit: sheets.uint32s(4, sheetsMax),
    rows: sheets.uint32s(5, sheetsMax),
    declared: readOrZero(sheets, declared, length),
    acceptedAtMs: readOrZero(sheets, acceptedAtMs, length),
    activation: readOrZero(sheets, activation, length),
    ticket: new Float64Array(series.length),
  };
}

/** Writes the rows; throws where a sum, a least or a greatest is not an integer. */
export function writeRows(writer: WireWriter, field: number, rows: AggregateRows): void {
  const { mark } = writer;
  writeOddRows(writer, 14, rows);
  writePeaks(writer, rows.peakOffsetMs);
  writer.column(10, rows.quality);
  writer.column(9, rows.count);
  writeIntegers(writer, rows.max, max);
  writeIntegers(writer, rows.min, min);
  writeIntegers(writer, rows.sumLow, sumLow);
  writeUnlessZero(writer, rows.sumHigh, sumHigh);
  writer.column(1, rows.hour);
  writer.message(field, mark);
}

/** Reads the rows. Of what they promise, only that sums, least and greatest are integers is checked. */
export function readRows(fields: MessageFields, number: number): AggregateRows {
  const rows = fields.message(number, rowsShape);
  const hour = rows.bytesColumn(1, rowsMax);
  const count = rows.uint32s(9, rowsMax);
  return {
    hour,
    sumHigh: readOrZero(rows, sumHigh, { length: hour.length, lengthMax: rowsMax }),
    sumLow: readIntegers(rows, sumLow, rowsMax),
    min: readIntegers(rows, min, rowsMax),
    max: readIntegers(rows, max, rowsMax),
    count,
    quality: rows.bytesColumn(10, rowsMax),
    peakOffsetMs: readPeaks(rows, hour.length),
    ...readOddRows(rows, 14, count),
  };
}
