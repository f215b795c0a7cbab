import { qualityOf, utcText, type Quality } from '@meterflow/readings';
import { rareCounts, unknownPeak, wholeWindow, type RareCount, type Resolution } from './aggregate-batch.ts';
import { hourMs } from './calendar.ts';
import type { SheetCursor } from './sheet-cursor.ts';
import { formatExtreme, formatSum } from './wide-sum.ts';

/** What an aggregate says beside its values. Counts of 0 are left out. */
export interface AggregateFacts extends Readonly<Partial<Record<RareCount, number>>> {
  /** When the greatest reading starts; the earliest of equals. Absent where nothing is summed. */
  readonly peakAt?: string;
  readonly expected: number;
}

/**
 * An aggregate as the canonical export has it: no ticket, no versions. Without facts where a build wrote it that did not
 * know them. Sum, least and greatest are null where nothing is summed: all that came is surplus.
 */
export interface CanonicalAggregate extends Partial<AggregateFacts> {
  readonly kind: 'aggregate';
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
  readonly resolution: Resolution;
  readonly start: string;
  readonly end: string;
  readonly sum: string | null;
  readonly min: string | null;
  readonly max: string | null;
  readonly count: number;
  readonly unit: string;
  readonly quality: Quality;
}

/** Row `row` (an index into the batch's rows) of the cursor's sheet. */
export function canonicalAggregate(cursor: SheetCursor, row: number): CanonicalAggregate {
  const { batch } = cursor;
  const { rows, decimals } = batch;
  const isSummed = rows.count[row] !== 0;
  return {
    kind: 'aggregate',
    tenant: batch.tenant,
    meter: cursor.series.meter,
    channel: cursor.series.channel,
    resolution: resolutionOf(cursor, row),
    start: utcText(rowStartMs(cursor, row)),
    end: utcText(rowEndMs(cursor, row)),
    sum: isSummed ? formatSum(rows.sumHigh[row] as number, rows.sumLow[row] as number, decimals) : null,
    min: isSummed ? formatExtreme(rows.min[row] as number, decimals) : null,
    max: isSummed ? formatExtreme(rows.max[row] as number, decimals) : null,
    count: rows.count[row] as number,
    unit: cursor.unit,
    quality: qualityOf(rows.quality[row] as number),
    ...aggregateFacts(cursor, row),
  };
}

/** Undefined where a build wrote the row that did not know them. */
export function aggregateFacts(cursor: SheetCursor, row: number): AggregateFacts | undefined {
  const { rows } = cursor.batch;
  if (rows.peakOffsetMs[row] === unknownPeak) {
    return undefined;
  }
  const peakMs = rowPeakMs(cursor, row);
  const counts = rareCounts.flatMap((name) => (rows[name][row] === 0 ? [] : [[name, rows[name][row]] as const]));
  return {
    ...(peakMs === undefined ? {} : { peakAt: utcText(peakMs) }),
    expected: rows.expected[row] as number,
    ...(Object.fromEntries(counts) as Partial<Record<RareCount, number>>),
  };
}

/** When the greatest reading of the row starts; undefined where nothing is summed, or a build wrote it that did not know of it. */
export function rowPeakMs(cursor: SheetCursor, row: number): number | undefined {
  const { count, peakOffsetMs } = cursor.batch.rows;
  const offsetMs = peakOffsetMs[row] as number;
  return offsetMs === unknownPeak || count[row] === 0 ? undefined : rowStartMs(cursor, row) + offsetMs;
}

export function resolutionOf(cursor: SheetCursor, row: number): Resolution {
  return cursor.batch.rows.hour[row] === wholeWindow ? cursor.batch.level : 'hour';
}

/** Hours are elapsed hours from the sheet's start. */
export function rowStartMs(cursor: SheetCursor, row: number): number {
  const hour = cursor.batch.rows.hour[row] as number;
  return hour === wholeWindow ? cursor.startMs : cursor.startMs + hour * hourMs;
}

/** The last hour of a day whose length is no whole number of hours is shorter. */
export function rowEndMs(cursor: SheetCursor, row: number): number {
  const hour = cursor.batch.rows.hour[row] as number;
  return hour === wholeWindow ? cursor.endMs : Math.min(cursor.startMs + (hour + 1) * hourMs, cursor.endMs);
}
