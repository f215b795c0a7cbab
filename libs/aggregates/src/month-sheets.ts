import { qualityCode } from '@meterflow/readings';
import { rareCounts, unknownPeak, wholeWindow, type AggregateBatch } from './aggregate-batch.ts';
import { AggregateRow, type AggregateBatchBuilder } from './aggregate-batch-builder.ts';
import { noInputs, type InputVersions } from './input-versions.ts';
import { monthOfDay, yearOfDay, type Calendar } from './calendar.ts';
import { newerInputs } from './newest-inputs.ts';
import { intervalsWithin, type RegisteredIntervals } from './registered-intervals.ts';
import { SheetCursor } from './sheet-cursor.ts';
import { multiplier, unitChoice, type UnitCount } from './unit-choice.ts';
import { setSum, sumInteger } from './wide-sum.ts';

interface ParentsRequest {
  /** The series' index in the builder. */
  readonly series: number;
  readonly calendar: Calendar;
  /** The lengths registered of the series' intervals: what days without a sheet should have had. */
  readonly intervals?: RegisteredIntervals;
  /** The parts of a span in which intervals count, where not all of it does. */
  readonly covered?: Covered;
}

/** Which parts of a span a register of a calendar takes. */
export type Covered = (span: MsSpan) => readonly MsSpan[];
export interface MsSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface MonthSheetsRequest extends ParentsRequest {
  /** The local months [firstMonth, endMonth). */
  readonly firstMonth: number;
  readonly endMonth: number;
}

export interface YearSheetsRequest extends ParentsRequest {
  /** The local years [firstYear, endYear). */
  readonly firstYear: number;
  readonly endYear: number;
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
  const { calendar, firstMonth, endMonth } = request;
  const starts = Array.from({ length: endMonth - firstMonth + 1 }, (_, index) =>
    calendar.monthStartMs(firstMonth + index),
  );
  appendParents(builder, { ...request, starts, parentOf: (day) => monthOfDay(day) - firstMonth }, days);
}

/** The same of years, from days as well. */
export function appendYearSheets(
  builder: AggregateBatchBuilder,
  request: YearSheetsRequest,
  days: AggregateBatch,
): void {
  const { calendar, firstYear, endYear } = request;
  const starts = Array.from({ length: endYear - firstYear + 1 }, (_, index) => calendar.yearStartMs(firstYear + index));
  appendParents(builder, { ...request, starts, parentOf: (day) => yearOfDay(day) - firstYear }, days);
}

interface Parents extends ParentsRequest {
  /** Where each window begins; the last one is the end of the last but one. */
  readonly starts: readonly number[];
  /** Which of them a local day belongs to. */
  readonly parentOf: (day: number) => number;
}

function appendParents(builder: AggregateBatchBuilder, request: Parents, days: AggregateBatch): void {
  const { series, calendar, starts, parentOf, intervals = [], covered = whole } = request;
  const parents: WholeDay[][] = starts.slice(1).map(() => []);
  for (const day of wholeDays(days)) {
    const localDay = calendar.dayOf(day.startMs);
    // A day of a zone that the series had before is about to be withdrawn; with it, its readings would count twice.
    if (calendar.dayStartMs(localDay) === day.startMs) {
      parents[parentOf(localDay)]?.push(day);
    }
  }
  parents.forEach((found, index) => {
    const unit = unitChoice(found.filter(({ count }) => count > 0));
    const span = { fromMs: starts[index] as number, toMs: starts[index + 1] as number };
    builder.begin({
      series,
      startMs: span.fromMs,
      endMs: span.toMs,
      unit: builder.text(unit),
      decimals: days.decimals,
      inputs: found.reduce((newest, { inputs }) => newerInputs(newest, inputs), noInputs),
    });
    const row = parentRow(found, unit, days);
    if (row.count > 0 || row.surplus > 0) {
      complete(row, found, { span, intervals, covered });
      builder.append(row);
    }
  });
}

const whole: Covered = (span) => [span];

/** The row of a whole local day. */
interface WholeDay extends UnitCount {
  readonly startMs: number;
  readonly endMs: number;
  readonly row: number;
  readonly expected: number;
  /** {@link unknownPeak} where the day does not tell. */
  readonly peakOffsetMs: number;
  readonly inputs: InputVersions;
}

function wholeDays(days: AggregateBatch): WholeDay[] {
  const found: WholeDay[] = [];
  const cursor = new SheetCursor(days);
  while (cursor.next()) {
    const row = cursor.rowsTo - 1;
    if (cursor.rows > 0 && days.rows.hour[row] === wholeWindow) {
      const { startMs, endMs, unit, inputs } = cursor;
      const [count, expected] = [days.rows.count[row] as number, days.rows.expected[row] as number];
      found.push({
        startMs,
        endMs,
        row,
        unit,
        count,
        expected,
        peakOffsetMs: days.rows.peakOffsetMs[row] as number,
        inputs,
      });
    }
  }
  return found;
}

function parentRow(days: readonly WholeDay[], unit: string, { rows }: AggregateBatch): AggregateRow {
  const month = new AggregateRow();
  month.hour = wholeWindow;
  let sum: number | bigint = 0;
  let peakMs = 0;
  for (const day of days) {
    const power = day.count === 0 ? undefined : multiplier(day.unit, unit);
    if (power === undefined) {
      month.surplus += day.count + (rows.surplus[day.row] as number);
      continue;
    }
    const factor = 10 ** power;
    const min = (rows.min[day.row] as number) * factor;
    const max = (rows.max[day.row] as number) * factor;
    const dayPeakMs = day.startMs + day.peakOffsetMs;
    sum = exactlyPlus(sum, { high: rows.sumHigh[day.row] as number, low: rows.sumLow[day.row] as number, factor });
    month.min = month.count === 0 ? min : Math.min(month.min, min);
    if (month.count === 0 || max > month.max || (max === month.max && dayPeakMs < peakMs)) {
      month.max = max;
      peakMs = dayPeakMs;
    }
    month.count += day.count;
    for (const name of rareCounts) {
      month[name] += rows[name][day.row] as number;
    }
    // Day rows hold measured, estimated and calculated only, in that order.
    month.quality = Math.max(month.quality, rows.quality[day.row] as number);
  }
  setSum(month, sum);
  month.peakOffsetMs = peakMs;
  return month;
}

/** What a window should have had. */
interface Due {
  readonly span: MsSpan;
  readonly intervals: RegisteredIntervals;
  readonly covered: Covered;
}

/**
 * Completes a month by what its days lack. Where a day does not tell what was expected, since a build before wrote it, the
 * month does not either.
 */
function complete(month: AggregateRow, days: readonly WholeDay[], due: Due): void {
  if (days.some(({ peakOffsetMs }) => peakOffsetMs === unknownPeak)) {
    month.peakOffsetMs = unknownPeak;
    month.expected = month.count;
    return;
  }
  month.expected = expectedWithin(days, due);
  if (month.count === 0) {
    month.quality = missing;
    return;
  }
  month.peakOffsetMs -= due.span.fromMs;
  if (month.quality === measured && month.count < month.expected) {
    month.quality = estimated;
  }
}

const measured = qualityCode('measured');
const estimated = qualityCode('estimated');
const missing = qualityCode('missing');

/** What the days expected, and what those between them that have no sheet should have had. */
function expectedWithin(days: readonly WholeDay[], { span, intervals, covered }: Due): number {
  const commonMs = commonLength(days, covered);
  const expectedOf = (gap: MsSpan): number =>
    gap.fromMs < gap.toMs ? covered(gap).reduce((sum, part) => sum + intervalsWithin(intervals, commonMs, part), 0) : 0;
  let expected = 0;
  let toldToMs = span.fromMs;
  for (const day of [...days].sort((a, b) => a.startMs - b.startMs)) {
    expected += day.expected + expectedOf({ fromMs: toldToMs, toMs: day.startMs });
    toldToMs = day.endMs;
  }
  return expected + expectedOf({ fromMs: toldToMs, toMs: span.toMs });
}

/** The length of intervals that most of the days have; the shorter of equally common ones, 0 where none tells. */
function commonLength(days: readonly WholeDay[], covered: Covered): number {
  const counts = new Map<number, number>();
  for (const { startMs, endMs, expected } of days) {
    const lengthMs = expected === 0 ? 0 : lengthOf(covered({ fromMs: startMs, toMs: endMs })) / expected;
    counts.set(lengthMs, (counts.get(lengthMs) ?? 0) + 1);
  }
  const [common] = [...counts].sort(([a, most], [b, other]) => other - most || a - b);
  return common?.[0] ?? 0;
}

function lengthOf(parts: readonly MsSpan[]): number {
  return parts.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
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
