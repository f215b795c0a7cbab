import { qualityOf } from '@meterflow/readings';
import { rareCounts, wholeWindow, type AggregateBatch } from '../aggregate-batch.ts';
import { SheetCursor } from '../sheet-cursor.ts';
import { formatExtreme, formatSum } from '../wide-sum.ts';
import type { ReferenceRow } from './reference-day.ts';

export interface ShownSheet {
  readonly startMs: number;
  readonly endMs: number;
  readonly unit: string;
  readonly rows: readonly ReferenceRow[];
}

/** A batch's sheets as tests compare them. */
export function shownSheets(batch: AggregateBatch): ShownSheet[] {
  const sheets: ShownSheet[] = [];
  const cursor = new SheetCursor(batch);
  while (cursor.next()) {
    const rows = Array.from({ length: cursor.rows }, (_, index) => shownRow(batch, cursor.rowsFrom + index));
    sheets.push({ startMs: cursor.startMs, endMs: cursor.endMs, unit: cursor.unit, rows });
  }
  return sheets;
}

function shownRow({ rows, decimals }: AggregateBatch, row: number): ReferenceRow {
  const hour = rows.hour[row] as number;
  return {
    hour: hour === wholeWindow ? 'day' : hour,
    sum: formatSum(rows.sumHigh[row] as number, rows.sumLow[row] as number, decimals),
    min: formatExtreme(rows.min[row] as number, decimals),
    max: formatExtreme(rows.max[row] as number, decimals),
    count: rows.count[row] as number,
    quality: qualityOf(rows.quality[row] as number),
    peakOffsetMs: rows.peakOffsetMs[row] as number,
    expected: rows.expected[row] as number,
    ...Object.fromEntries(rareCounts.map((name) => [name, rows[name][row] as number])),
  } as ReferenceRow;
}
