import type { SeriesName } from '@meterflow/readings';
import { unknownPeak, wholeWindow, type AggregateBatch } from './aggregate-batch.ts';
import type { Calendar } from './calendar.ts';
import type { Covered } from './month-sheets.ts';
import { intervalsWithin, type RegisteredIntervals } from './registered-intervals.ts';
import { SheetCursor } from './sheet-cursor.ts';
import { completeReasons, type CompleteReason, type WindowsComplete } from './windows-complete.ts';

export interface CompleteDaysRequest {
  readonly series: SeriesName;
  readonly calendar: Calendar;
  /** What of a day without an aggregate was to come. */
  readonly intervals?: RegisteredIntervals;
  readonly covered?: Covered;
  /** The local days [firstDay, endDay). */
  readonly firstDay: number;
  readonly endDay: number;
  /** Days that end here or before are closed. */
  readonly closedThroughMs: number;
}

/** What the stored aggregate of a day says. */
interface StoredDay {
  readonly ticket: number;
  readonly count: number;
  readonly expected: number;
  readonly isWhole: boolean;
}

interface CompleteDay extends Omit<StoredDay, 'isWhole'> {
  readonly index: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly reason: CompleteReason;
}

/** Collects the days that are whole or closed, series by series. */
export class CompleteDays {
  readonly #series: SeriesName[] = [];
  readonly #days: CompleteDay[] = [];

  /** Looks at each day of the request in the series' stored day sheets, which may hold others too. */
  append(request: CompleteDaysRequest, sheets: AggregateBatch): void {
    const stored = storedDays(sheets);
    for (let day = request.firstDay; day < request.endDay; day++) {
      const span = { startMs: request.calendar.dayStartMs(day), endMs: request.calendar.dayStartMs(day + 1) };
      const told = stored.get(span.startMs) ?? absentDay;
      const reason = told.isWhole ? 'whole' : span.endMs <= request.closedThroughMs ? 'closed' : undefined;
      if (reason !== undefined) {
        const { ticket, count } = told;
        const expected = count > 0 ? told.expected : registeredWithin(request, span);
        this.#days.push({ ...span, index: this.#index(request.series), reason, ticket, count, expected });
      }
    }
  }

  /** Runs of one series come one after the other. */
  #index({ meter, channel }: SeriesName): number {
    const last = this.#series.at(-1);
    return last?.meter === meter && last.channel === channel
      ? this.#series.length - 1
      : this.#series.push({ meter, channel }) - 1;
  }

  /** Undefined where no day was whole or closed. */
  finish(tenant: string): WindowsComplete | undefined {
    const days = this.#days;
    return days.length === 0
      ? undefined
      : {
          tenant,
          series: this.#series,
          index: Uint32Array.from(days, ({ index }) => index),
          startMs: Float64Array.from(days, ({ startMs }) => startMs),
          endMs: Float64Array.from(days, ({ endMs }) => endMs),
          ticket: Float64Array.from(days, ({ ticket }) => ticket),
          reason: Uint8Array.from(days, ({ reason }) => completeReasons.indexOf(reason)),
          count: Uint32Array.from(days, ({ count }) => count),
          expected: Uint32Array.from(days, ({ expected }) => expected),
        };
  }
}

const absentDay: StoredDay = { ticket: 0, count: 0, expected: 0, isWhole: false };

function storedDays(sheets: AggregateBatch): Map<number, StoredDay> {
  const days = new Map<number, StoredDay>();
  const { rows } = sheets;
  const cursor = new SheetCursor(sheets);
  while (cursor.next()) {
    const { ticket } = cursor;
    const row = cursor.rowsTo - 1;
    if (cursor.rows === 0 || rows.hour[row] !== wholeWindow) {
      days.set(cursor.startMs, { ...absentDay, ticket });
      continue;
    }
    const count = rows.count[row] as number;
    // A build before wrote it, which did not know what was expected.
    const isTold = rows.peakOffsetMs[row] !== unknownPeak;
    const expected = isTold ? (rows.expected[row] as number) : 0;
    days.set(cursor.startMs, { ticket, count, expected, isWhole: isTold && count > 0 && count >= expected });
  }
  return days;
}

function registeredWithin(
  { intervals = [], covered }: CompleteDaysRequest,
  { startMs: fromMs, endMs: toMs }: { readonly startMs: number; readonly endMs: number },
): number {
  const parts = covered === undefined ? [{ fromMs, toMs }] : covered({ fromMs, toMs });
  return parts.reduce((sum, part) => sum + intervalsWithin(intervals, 0, part), 0);
}
