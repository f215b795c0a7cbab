import { compareDecimals } from '@meterflow/readings';
import type { AggregateBatch } from './aggregate-batch.ts';
import type { SheetCursor } from './sheet-cursor.ts';
import { sumInteger } from './wide-sum.ts';

/** One row of a batch. */
export interface RowPosition {
  readonly batch: AggregateBatch;
  /** Index into the batch's rows. */
  readonly row: number;
}

/**
 * True when two sheets of one series say the same: same window, unit and rows, values compared as numbers. Stores call
 * it for each sheet they replace: where it is true the stored ticket rises and nothing else changes.
 */
export function sameSheet(a: SheetCursor, b: SheetCursor): boolean {
  if (a.rows !== b.rows || a.startMs !== b.startMs || a.endMs !== b.endMs || (a.rows > 0 && a.unit !== b.unit)) {
    return false;
  }
  const left = { batch: a.batch, row: a.rowsFrom };
  const right = { batch: b.batch, row: b.rowsFrom };
  for (; left.row < a.rowsTo; left.row++, right.row++) {
    if (!sameRow(left, right)) {
      return false;
    }
  }
  return true;
}

/** True when two rows say the same of the same hour (or of the whole window). Units are the sheets', and not compared. */
export function sameRow(a: RowPosition, b: RowPosition): boolean {
  const [left, right] = [a.batch.rows, b.batch.rows];
  return (
    left.hour[a.row] === right.hour[b.row] &&
    left.count[a.row] === right.count[b.row] &&
    left.quality[a.row] === right.quality[b.row] &&
    (a.batch.decimals === b.batch.decimals ? sameIntegers(a, b) : sameNumbers(a, b))
  );
}

function sameIntegers(a: RowPosition, b: RowPosition): boolean {
  const [left, right] = [a.batch.rows, b.batch.rows];
  return (
    left.sumLow[a.row] === right.sumLow[b.row] &&
    left.sumHigh[a.row] === right.sumHigh[b.row] &&
    left.min[a.row] === right.min[b.row] &&
    left.max[a.row] === right.max[b.row]
  );
}

function sameNumbers(a: RowPosition, b: RowPosition): boolean {
  const [left, right] = [a.batch.rows, b.batch.rows];
  const same = (x: Float64Array, y: Float64Array): boolean =>
    compareDecimals(x[a.row] as number, a.batch.decimals, y[b.row] as number, b.batch.decimals) === 0;
  const decimals = Math.max(a.batch.decimals, b.batch.decimals);
  return same(left.min, right.min) && same(left.max, right.max) && sumAt(a, decimals) === sumAt(b, decimals);
}

function sumAt({ batch, row }: RowPosition, decimals: number): bigint {
  const sum = sumInteger(batch.rows.sumHigh[row] as number, batch.rows.sumLow[row] as number);
  return sum * 10n ** BigInt(decimals - batch.decimals);
}
