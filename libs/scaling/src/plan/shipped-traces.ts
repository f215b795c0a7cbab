import type { LoadTrace } from './load-trace.ts';

export const shippedTraces = ['daily-files', 'quarter-hour-push', 'year-backfill', 'outage'] as const;
export type ShippedTrace = (typeof shippedTraces)[number];

const daySeconds = 86_400;
const hourSeconds = 3_600;
const quarterSeconds = 900;

/** Traces of a day that every operator of meters knows, for so many readings a day. Whole readings; no chance in them. */
export function shippedTrace(name: ShippedTrace, readingsPerDay: number): LoadTrace {
  const readings = new Float64Array(daySeconds);
  traces[name](readings, readingsPerDay);
  return { readings };
}

const traces: Readonly<Record<ShippedTrace, (readings: Float64Array, perDay: number) => void>> = {
  /** Every provider's file of yesterday within the first hour, most of them within its first minutes. */
  'daily-files': (readings, perDay) => {
    const files = 60;
    for (let file = 0; file < files; file += 1) {
      spread(readings, { from: Math.floor((file / files) ** 2 * hourSeconds), seconds: 30, amount: perDay / files });
    }
  },
  /** Head-ends that push each quarter of an hour, all within a minute after it. */
  'quarter-hour-push': (readings, perDay) => {
    for (let from = 0; from < daySeconds; from += quarterSeconds) {
      spread(readings, { from, seconds: 60, amount: (perDay * quarterSeconds) / daySeconds });
    }
  },
  /** The push of each quarter, and at 09:00 a year of the same meters' readings, as fast as one uploader is. */
  'year-backfill': (readings, perDay) => {
    traces['quarter-hour-push'](readings, perDay / 10);
    spread(readings, { from: 9 * hourSeconds, seconds: 2 * hourSeconds, amount: perDay * 3.65 });
  },
  /** The push of each quarter; from 10:00 to 11:00 nothing comes, then all of it at once. */
  outage: (readings, perDay) => {
    traces['quarter-hour-push'](readings, perDay);
    const held = readings.subarray(10 * hourSeconds, 11 * hourSeconds);
    const amount = held.reduce((sum, each) => sum + each, 0);
    held.fill(0);
    spread(readings, { from: 11 * hourSeconds, seconds: 60, amount });
  },
};

interface Spread {
  readonly from: number;
  readonly seconds: number;
  readonly amount: number;
}

/** Evenly, in whole readings, with nothing lost to rounding. */
function spread(readings: Float64Array, { from, seconds, amount }: Spread): void {
  const whole = Math.round(amount);
  for (let i = 0; i < seconds; i += 1) {
    const share = Math.floor((whole * (i + 1)) / seconds) - Math.floor((whole * i) / seconds);
    readings[from + i] = (readings[from + i] ?? 0) + share;
  }
}
