import { formatDecimal, type Quality } from '@meterflow/readings';
import { hourMs, type Calendar } from '../calendar.ts';
import type { WrittenReading } from './reading-columns.ts';

export interface ReferenceRow {
  readonly hour: number | 'day';
  readonly sum: string;
  readonly min: string;
  readonly max: string;
  readonly count: number;
  readonly quality: Quality;
}

const decimals = 18;
const scaled = ({ integer, decimals: own }: WrittenReading): bigint => BigInt(integer) * 10n ** BigInt(decimals - own);

/** The rows of a local day the slow, plain way, in BigInt: readings of `intervalMs` with a value, all of one unit. */
export function referenceDay(
  readings: readonly WrittenReading[],
  calendar: Calendar,
  of: { readonly day: number; readonly intervalMs: number },
): ReferenceRow[] {
  const [startMs, endMs] = [calendar.dayStartMs(of.day), calendar.dayStartMs(of.day + 1)];
  const counted = readings.filter(
    (reading) =>
      reading.lengthMs === of.intervalMs &&
      reading.quality !== 'missing' &&
      reading.startMs >= startMs &&
      reading.startMs < endMs,
  );
  const hourOf = (reading: WrittenReading): number => Math.floor((reading.startMs - startMs) / hourMs);
  const hours = [...new Set(counted.map(hourOf))].sort((a, b) => a - b);
  const rows = hours.map((hour) =>
    referenceRow(
      hour,
      counted.filter((reading) => hourOf(reading) === hour),
    ),
  );
  return counted.length === 0 ? [] : [...rows, referenceRow('day', counted)];
}

function referenceRow(hour: number | 'day', readings: readonly WrittenReading[]): ReferenceRow {
  const values = readings.map(scaled);
  const extreme = (better: (a: bigint, b: bigint) => boolean): bigint =>
    values.reduce((a, b) => (better(b, a) ? b : a));
  return {
    hour,
    sum: formatDecimal(
      values.reduce((a, b) => a + b),
      decimals,
    ),
    min: formatDecimal(
      extreme((a, b) => a < b),
      decimals,
    ),
    max: formatDecimal(
      extreme((a, b) => a > b),
      decimals,
    ),
    count: readings.length,
    quality: referenceQuality(readings.map(({ quality }) => quality)),
  };
}

function referenceQuality(qualities: readonly Quality[]): Quality {
  if (qualities.includes('calculated')) {
    return 'calculated';
  }
  return qualities.every((quality) => quality === 'measured') ? 'measured' : 'estimated';
}
