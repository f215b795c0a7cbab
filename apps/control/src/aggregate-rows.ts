import {
  aggregateFacts,
  canonicalAggregate,
  formatMean,
  rareCounts,
  resolutionOf,
  rowEndMs,
  rowStartMs,
  SheetCursor,
  type Resolution,
} from '@meterflow/aggregates';
import { exactNumber } from '@meterflow/http';
import type { AggregateStore } from '@meterflow/idempotent-writes';
import { utcText, type Quality, type SeriesName } from '@meterflow/readings';
import { graceMsDefault } from './day-closer.ts';
import { dayMs, type Position } from './query-span.ts';

/** A day's sheet holds its hours, and the longest local day there is began so long before its last hour. */
const sheetMsMax = 2 * dayMs;

/** A row of a sheet as queries answer it. */
export interface WindowRow extends Position {
  readonly quality: Quality;
  readonly state: WindowState;
  readonly json: object;
}

export interface WindowsAsked extends SeriesName {
  readonly tenant: string;
  readonly resolution: Resolution;
  /** Windows that start in [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
}

/**
 * `open`: readings are still missing, and waited for. `complete`: none is missing. `final`: the window ended so long ago that
 * its days are closed; what comes all the same still corrects it.
 */
export const windowStates = ['open', 'complete', 'final'] as const;
export type WindowState = (typeof windowStates)[number];

/** The stored windows of a series, ascending. */
export async function aggregateRows(
  aggregates: Pick<AggregateStore, 'read'>,
  { tenant, meter, channel, resolution, fromMs, toMs, nowMs }: WindowsAsked,
): Promise<readonly WindowRow[]> {
  const level = resolution === 'month' ? 'month' : 'day';
  const sheetsFromMs = resolution === 'hour' ? fromMs - sheetMsMax : fromMs;
  const batch = await aggregates.read({ tenant, meter, channel, level, fromMs: sheetsFromMs, toMs });
  const rows: WindowRow[] = [];
  const cursor = new SheetCursor(batch);
  while (cursor.next()) {
    for (let row = cursor.rowsFrom; row < cursor.rowsTo; row++) {
      const startMs = rowStartMs(cursor, row);
      if (resolutionOf(cursor, row) === resolution && startMs >= fromMs && startMs < toMs) {
        const state = stateOf(cursor, row, nowMs);
        const json = jsonOf(cursor, row);
        const lengthMs = rowEndMs(cursor, row) - startMs;
        rows.push({ startMs, lengthMs, quality: json.quality, state, json: { ...json, state } });
      }
    }
  }
  return rows;
}

function jsonOf(cursor: SheetCursor, row: number): Readonly<Record<string, unknown>> & { readonly quality: Quality } {
  const { meter, channel, resolution, start, end, sum, min, max, count, unit, quality } = canonicalAggregate(
    cursor,
    row,
  );
  const { rows, decimals } = cursor.batch;
  const wide = { sumHigh: rows.sumHigh[row] as number, sumLow: rows.sumLow[row] as number };
  return {
    meter,
    channel,
    resolution,
    start,
    end,
    sum: orNull(sum),
    min: orNull(min),
    max: orNull(max),
    mean: count === 0 ? null : exactNumber(formatMean(wide, decimals, count)),
    count,
    unit,
    quality,
    ...factsOf(cursor, row),
    inputs: inputsOf(cursor),
  };
}

/** Of a window in which nothing is summed. */
function orNull(text: string | null): object | null {
  return text === null ? null : exactNumber(text);
}

function stateOf(cursor: SheetCursor, row: number, nowMs: number): WindowState {
  if (rowEndMs(cursor, row) + graceMsDefault <= nowMs) {
    return 'final';
  }
  const facts = aggregateFacts(cursor, row);
  const count = cursor.batch.rows.count[row] as number;
  return facts !== undefined && count > 0 && facts.expected <= count ? 'complete' : 'open';
}

function factsOf(cursor: SheetCursor, row: number): object {
  const facts = aggregateFacts(cursor, row);
  if (facts === undefined) {
    return {};
  }
  const { rows } = cursor.batch;
  const missing = Math.max(0, facts.expected - (rows.count[row] as number));
  const counts = Object.fromEntries(rareCounts.map((name) => [name, rows[name][row]]));
  const peak = facts.peakAt === undefined ? {} : { peakAt: facts.peakAt };
  return { ...peak, expected: facts.expected, missing, ...counts };
}

function inputsOf({ inputs: { declared, acceptedAtMs, activation }, ticket }: SheetCursor): object {
  return {
    ...(declared === 0 ? {} : { version: declared }),
    ...(acceptedAtMs === 0 ? {} : { acceptedAt: utcText(acceptedAtMs) }),
    ...(activation === 0 ? {} : { activation }),
    ticket,
  };
}
