import type { AggregateRows, Sheets } from '@meterflow/aggregates';
import { block, type MessageFields, type MessageShape } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import type { WireWriter } from './wire-writer.ts';

const { sheetsMax, rowsMax } = messageLimits;

const sheetsShape: MessageShape = [
  undefined,
  block('series'),
  block('start_ms'),
  block('end_ms'),
  block('unit'),
  block('rows'),
];

const rowsShape: MessageShape = [
  undefined,
  block('hour'),
  block('sum_high'),
  block('sum_low'),
  block('min'),
  block('max'),
  block('count'),
  block('quality'),
];

export function writeSheets(writer: WireWriter, field: number, sheets: Sheets): void {
  const { mark } = writer;
  writer.column(5, sheets.rows);
  writer.column(4, sheets.unit);
  writer.column(3, sheets.endMs);
  writer.column(2, sheets.startMs);
  writer.column(1, sheets.series);
  writer.message(field, mark);
}

export function readSheets(fields: MessageFields, number: number): Sheets {
  const sheets = fields.message(number, sheetsShape);
  return {
    series: sheets.uint32s(1, sheetsMax),
    startMs: sheets.float64s(2, sheetsMax),
    endMs: sheets.float64s(3, sheetsMax),
    unit: sheets.uint32s(4, sheetsMax),
    rows: sheets.uint32s(5, sheetsMax),
  };
}

export function writeRows(writer: WireWriter, field: number, rows: AggregateRows): void {
  const { mark } = writer;
  writer.column(7, rows.quality);
  writer.column(6, rows.count);
  writer.column(5, rows.max);
  writer.column(4, rows.min);
  writer.column(3, rows.sumLow);
  writer.column(2, rows.sumHigh);
  writer.column(1, rows.hour);
  writer.message(field, mark);
}

export function readRows(fields: MessageFields, number: number): AggregateRows {
  const rows = fields.message(number, rowsShape);
  return {
    hour: rows.bytesColumn(1, rowsMax),
    sumHigh: rows.float64s(2, rowsMax),
    sumLow: rows.float64s(3, rowsMax),
    min: rows.float64s(4, rowsMax),
    max: rows.float64s(5, rowsMax),
    count: rows.uint32s(6, rowsMax),
    quality: rows.bytesColumn(7, rowsMax),
  };
}
