import { dayMs } from '@meterflow/aggregates';
import type { Cause, SeriesName, Touched } from '@meterflow/readings';

/** A share of what a notice touched, with the causes whose ledger rows wait for exactly this share. */
export interface TouchedPart {
  readonly touched: Touched;
  readonly causes: readonly Cause[];
}

interface Row {
  readonly index: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Cuts what a notice touched so that each part has about `windowsMax` local days at the most.
 *
 * A cause's ledger row may be written only when all its windows are stored, and messages are stored in any order. So a
 * cause never spreads over messages as it is: each part carries it as part `i` of `parts`, and the ledger takes the
 * batch for stored when it has every part of one cut. The cut depends on the notice alone, neither on its group nor on
 * zones or stored readings: a retry in another group makes the same parts. A cause that is itself part of a batch that
 * was cut can't be cut again, since its siblings would not know: such a notice stays whole, however large.
 */
export function touchedParts(touched: Touched, causes: readonly Cause[], windowsMax: number): readonly TouchedPart[] {
  const whole = [{ touched, causes }];
  if (weightOf(touched) <= windowsMax || causes.some(({ parts }) => parts > 1)) {
    return whole;
  }
  const shares = cut(sortedRows(touched), windowsMax);
  return shares.map((rows, part) => ({
    touched: touchedOf(touched.series, rows),
    causes: causes.map(({ sourceId, key }) => ({ sourceId, key, part, parts: shares.length })),
  }));
}

/** At most so many local days does a span touch (one more where a day of 23 hours lies within). */
function weight(fromMs: number, toMs: number): number {
  return Math.floor(Math.max(0, toMs - fromMs - 1) / dayMs) + 2;
}

function weightOf({ fromMs, toMs }: Touched): number {
  let sum = 0;
  for (let row = 0; row < fromMs.length; row++) {
    sum += weight(fromMs[row] as number, toMs[row] as number);
  }
  return sum;
}

/** By series and time: notices of the same meters are then cut alike, and their shares coalesce. */
function sortedRows({ series, index, fromMs, toMs }: Touched): Row[] {
  const rows = Array.from(index, (name, row) => ({
    index: name,
    fromMs: fromMs[row] as number,
    toMs: toMs[row] as number,
  }));
  const byName = (a: Row, b: Row): number =>
    a.index === b.index ? 0 : compareSeries(series[a.index] as SeriesName, series[b.index] as SeriesName);
  return rows.sort((a, b) => byName(a, b) || a.fromMs - b.fromMs);
}

export function compareSeries(a: SeriesName, b: SeriesName): number {
  return compareText(a.meter, b.meter) || compareText(a.channel, b.channel);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function cut(rows: readonly Row[], windowsMax: number): Row[][] {
  const shares: Row[][] = [];
  let room = 0;
  for (const row of rows.flatMap((long) => pieces(long, windowsMax))) {
    const due = weight(row.fromMs, row.toMs);
    if (due > room) {
      shares.push([]);
      room = windowsMax;
    }
    shares.at(-1)?.push(row);
    room -= due;
  }
  return shares;
}

/** A span too long for one share, in pieces; local days on their borders are computed for both. */
function pieces(row: Row, windowsMax: number): Row[] {
  const pieceMs = Math.max(1, windowsMax - 2) * dayMs;
  if (row.toMs - row.fromMs <= pieceMs) {
    return [row];
  }
  const count = Math.ceil((row.toMs - row.fromMs) / pieceMs);
  return Array.from({ length: count }, (_, piece) => ({
    index: row.index,
    fromMs: row.fromMs + piece * pieceMs,
    toMs: Math.min(row.toMs, row.fromMs + (piece + 1) * pieceMs),
  }));
}

function touchedOf(series: readonly SeriesName[], rows: readonly Row[]): Touched {
  return {
    series,
    index: Uint32Array.from(rows, ({ index }) => index),
    fromMs: Float64Array.from(rows, ({ fromMs }) => fromMs),
    toMs: Float64Array.from(rows, ({ toMs }) => toMs),
  };
}
