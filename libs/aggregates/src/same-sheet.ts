import { rareCounts, type AggregateBatch } from './aggregate-batch.ts';
import type { SheetCursor } from './sheet-cursor.ts';
import { extremeInteger, sumInteger } from './wide-sum.ts';

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
    sameFacts(a, b) &&
    (a.batch.decimals === b.batch.decimals ? sameIntegers(a, b) : sameNumbers(a, b))
  );
}

function sameFacts(a: RowPosition, b: RowPosition): boolean {
  const [left, right] = [a.batch.rows, b.batch.rows];
  return (
    left.peakOffsetMs[a.row] === right.peakOffsetMs[b.row] &&
    left.expected[a.row] === right.expected[b.row] &&
    rareCounts.every((name) => left[name][a.row] === right[name][b.row])
  );
}

function sameIntegers(a: RowPosition, b: RowPosition): boolean {
  const [left, right] = [a.batch.rows, b.batch.rows];
  return (
    left.sumLow[a.row] === right.sumLow[b.row] &&
    left.sumHigh[a.row] === right.sumHigh[b.row] &&
    sameExtreme(left.min[a.row] as number, right.min[b.row] as number) &&
    sameExtreme(left.max[a.row] as number, right.max[b.row] as number)
  );
}

function sameNumbers(a: RowPosition, b: RowPosition): boolean {
  const [left, right] = [a.batch.rows, b.batch.rows];
  const decimals = Math.max(a.batch.decimals, b.batch.decimals);
  const same = (x: Float64Array, y: Float64Array): boolean => extremeAt(x, a, decimals) === extremeAt(y, b, decimals);
  return same(left.min, right.min) && same(left.max, right.max) && sumAt(a, decimals) === sumAt(b, decimals);
}

/** Of one exponent: beyond 2^53 two floats may stand for one value. */
function sameExtreme(a: number, b: number): boolean {
  return a === b || (!Number.isSafeInteger(a) && extremeInteger(a) === extremeInteger(b));
}

function extremeAt(extremes: Float64Array, { batch, row }: RowPosition, decimals: number): bigint {
  return BigInt(extremeInteger(extremes[row] as number)) * 10n ** BigInt(decimals - batch.decimals);
}

function sumAt({ batch, row }: RowPosition, decimals: number): bigint {
  const sum = sumInteger(batch.rows.sumHigh[row] as number, batch.rows.sumLow[row] as number);
  return sum * 10n ** BigInt(decimals - batch.decimals);
}
