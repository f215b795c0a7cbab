import { formatDecimal, type Quality } from '@meterflow/readings';
import type { RareCount } from '../aggregate-batch.ts';
import { hourMs, type Calendar } from '../calendar.ts';
import type { WrittenReading } from './reading-columns.ts';

export interface ReferenceRow extends Readonly<Record<RareCount, number>> {
  readonly hour: number | 'day';
  readonly sum: string;
  readonly min: string;
  readonly max: string;
  readonly count: number;
  readonly quality: Quality;
  readonly peakOffsetMs: number;
  readonly expected: number;
}

const decimals = 18;
const scaled = ({ integer, decimals: own }: WrittenReading): bigint => BigInt(integer) * 10n ** BigInt(decimals - own);

/** The rows of a local day the slow, plain way, in BigInt: readings of `intervalMs` with a value, all of one unit. */
export function referenceDay(
  readings: readonly WrittenReading[],
  calendar: Calendar,
  of: { readonly day: number; readonly intervalMs: number },
): ReferenceRow[] {
  const { intervalMs } = of;
  const [startMs, endMs] = [calendar.dayStartMs(of.day), calendar.dayStartMs(of.day + 1)];
  const counted = readings.filter(
    (reading) =>
      reading.lengthMs === intervalMs &&
      reading.quality !== 'missing' &&
      reading.startMs >= startMs &&
      reading.startMs < endMs,
  );
  const hourOf = (reading: WrittenReading): number => Math.floor((reading.startMs - startMs) / hourMs);
  const hours = [...new Set(counted.map(hourOf))].sort((a, b) => a - b);
  const rowOf = (hour: number | 'day', of: readonly WrittenReading[]): ReferenceRow => {
    const fromMs = hour === 'day' ? startMs : startMs + hour * hourMs;
    const toMs = hour === 'day' ? endMs : Math.min(fromMs + hourMs, endMs);
    return referenceRow(hour, of, { fromMs, expected: startsWithin(fromMs, toMs, intervalMs) });
  };
  const rows = hours.map((hour) =>
    rowOf(
      hour,
      counted.filter((reading) => hourOf(reading) === hour),
    ),
  );
  return counted.length === 0 ? [] : [...rows, rowOf('day', counted)];
}

/** Counts the whole intervals since 1970 that start in a span, one by one. */
function startsWithin(fromMs: number, toMs: number, intervalMs: number): number {
  let count = 0;
  for (let startMs = Math.floor(fromMs / intervalMs) * intervalMs; startMs < toMs; startMs += intervalMs) {
    count += startMs >= fromMs ? 1 : 0;
  }
  return count;
}

function referenceRow(
  hour: number | 'day',
  readings: readonly WrittenReading[],
  { fromMs, expected }: { readonly fromMs: number; readonly expected: number },
): ReferenceRow {
  const values = readings.map(scaled);
  const extreme = (better: (a: bigint, b: bigint) => boolean): bigint =>
    values.reduce((a, b) => (better(b, a) ? b : a));
  const max = extreme((a, b) => a > b);
  const peaks = readings.filter((reading) => scaled(reading) === max).map((reading) => reading.startMs);
  const of = (quality: Quality): number => readings.filter((reading) => reading.quality === quality).length;
  const quality = referenceQuality(readings.map((reading) => reading.quality));
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
    max: formatDecimal(max, decimals),
    count: readings.length,
    quality: quality === 'measured' && readings.length < expected ? 'estimated' : quality,
    peakOffsetMs: Math.min(...peaks) - fromMs,
    expected,
    surplus: 0,
    estimated: of('estimated'),
    substituted: of('substituted'),
    calculated: of('calculated'),
    notBillable: of('estimated'),
  };
}

function referenceQuality(qualities: readonly Quality[]): Quality {
  if (qualities.includes('calculated')) {
    return 'calculated';
  }
  return qualities.every((quality) => quality === 'measured') ? 'measured' : 'estimated';
}
