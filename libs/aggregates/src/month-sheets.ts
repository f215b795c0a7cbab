import { wholeWindow, type AggregateBatch } from './aggregate-batch.ts';
import { AggregateRow, type AggregateBatchBuilder } from './aggregate-batch-builder.ts';
import { monthOfDay, type Calendar } from './calendar.ts';
import { SheetCursor } from './sheet-cursor.ts';
import { multiplier, unitChoice, type UnitCount } from './unit-choice.ts';
import { setSum, sumInteger } from './wide-sum.ts';

export interface MonthSheetsRequest {
  /** The series' index in the builder. */
  readonly series: number;
  readonly calendar: Calendar;
  /** The local months [firstMonth, endMonth). */
  readonly firstMonth: number;
  readonly endMonth: number;
}

/**
 * Appends a sheet for each month of the request, computed from the series' stored day sheets (in any order); also for
 * months without a day, whose sheets withdraw what was there before. Units are chosen and converted as within a day.
 */
export function appendMonthSheets(
  builder: AggregateBatchBuilder,
  request: MonthSheetsRequest,
  days: AggregateBatch,
): void {
  const months: WholeDay[][] = Array.from({ length: request.endMonth - request.firstMonth }, () => []);
  for (const day of wholeDays(days)) {
    const localDay = request.calendar.dayOf(day.startMs);
    // A day of a zone that the series had before is about to be withdrawn; with it, its readings would count twice.
    if (request.calendar.dayStartMs(localDay) === day.startMs) {
      months[monthOfDay(localDay) - request.firstMonth]?.push(day);
    }
  }
  months.forEach((found, index) => {
    const unit = unitChoice(found);
    builder.begin({
      series: request.series,
      startMs: request.calendar.monthStartMs(request.firstMonth + index),
      endMs: request.calendar.monthStartMs(request.firstMonth + index + 1),
      unit: builder.text(unit),
      decimals: days.decimals,
    });
    const row = monthRow(found, unit, days);
    if (row.count > 0) {
      builder.append(row);
    }
  });
}

/** The row of a whole local day. */
interface WholeDay extends UnitCount {
  readonly startMs: number;
  readonly row: number;
}

function wholeDays(days: AggregateBatch): WholeDay[] {
  const found: WholeDay[] = [];
  const cursor = new SheetCursor(days);
  while (cursor.next()) {
    const row = cursor.rowsTo - 1;
    if (cursor.rows > 0 && days.rows.hour[row] === wholeWindow) {
      found.push({ startMs: cursor.startMs, row, unit: cursor.unit, count: days.rows.count[row] as number });
    }
  }
  return found;
}

function monthRow(days: readonly WholeDay[], unit: string, { rows }: AggregateBatch): AggregateRow {
  const month = new AggregateRow();
  month.hour = wholeWindow;
  let sum: number | bigint = 0;
  for (const day of days) {
    const power = multiplier(day.unit, unit);
    if (power === undefined) {
      continue;
    }
    const factor = 10 ** power;
    const min = (rows.min[day.row] as number) * factor;
    const max = (rows.max[day.row] as number) * factor;
    sum = exactlyPlus(sum, { high: rows.sumHigh[day.row] as number, low: rows.sumLow[day.row] as number, factor });
    month.min = month.count === 0 ? min : Math.min(month.min, min);
    month.max = month.count === 0 ? max : Math.max(month.max, max);
    month.count += day.count;
    // Day rows hold measured, estimated and calculated only, in that order.
    month.quality = Math.max(month.quality, rows.quality[day.row] as number);
  }
  setSum(month, sum);
  return month;
}

/** Adds a day's sum: in float64 as long as that holds every digit. */
function exactlyPlus(sum: number | bigint, day: { high: number; low: number; factor: number }): number | bigint {
  if (typeof sum === 'number' && day.high === 0) {
    const next = sum + day.low * day.factor;
    // A sum that was rounded, or whose summand was, is not below 2^52.
    if (Math.abs(next) < 2 ** 52 && Math.abs(day.low * day.factor) < 2 ** 52) {
      return next;
    }
  }
  return BigInt(sum) + sumInteger(day.high, day.low) * BigInt(day.factor);
}
