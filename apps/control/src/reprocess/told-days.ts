import type { SeriesName, Touched } from '@meterflow/readings';
import { dayMs } from '../query-span.ts';

/** Days of UTC [fromDay, toDay) in which a series has raw readings. */
export interface StoredSpan {
  readonly fromDay: number;
  readonly toDay: number;
}

/** What is stored, as far as a reprocess must know it. */
export interface StoredRaw {
  /** By meter and channel, in the order of their UTF-8 bytes. */
  series(tenant: string): Iterable<SeriesName> | AsyncIterable<SeriesName>;
  /** Ascending. */
  spans(tenant: string, series: SeriesName): Iterable<StoredSpan> | AsyncIterable<StoredSpan>;
}

/** Where a reprocess stands: all before this day of this series is told. */
export interface ToldTo extends SeriesName {
  readonly day: number;
}

export interface ToldSpan extends StoredSpan {
  readonly series: SeriesName;
}

/** What one notice tells of, and where it leaves off. */
export interface ToldDays {
  readonly spans: readonly ToldSpan[];
  readonly days: number;
  /** Series that end with it, those without a day to tell among them. */
  readonly seriesDone: number;
  readonly to: ToldTo;
}

/** A stage takes a notice as a whole, and reads all that it tells of. */
const daysPerNoticeMax = 400;
/** Of one series at once: some ten thousand readings. */
const daysPerSpanMax = 100;

export interface TellingRequest {
  readonly tenant: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly after: ToldTo | undefined;
  /** This series alone; all of the tenant when absent. */
  readonly only?: SeriesName;
}

/** The days to tell, notice by notice, from where it left off: the same as long as the same is stored. */
export async function* toldDays(stored: StoredRaw, request: TellingRequest): AsyncGenerator<ToldDays> {
  let together: { spans: ToldSpan[]; days: number; seriesDone: number } = { spans: [], days: 0, seriesDone: 0 };
  let to: ToldTo | undefined;
  for await (const series of stored.series(request.tenant)) {
    if (isLeftOut(series, request)) {
      continue;
    }
    for await (const span of spansOf(stored, series, request)) {
      const days = span.toDay - span.fromDay;
      if (to !== undefined && together.days > 0 && together.days + days > daysPerNoticeMax) {
        yield { ...together, to };
        together = { spans: [], days: 0, seriesDone: 0 };
      }
      together.spans.push({ series, ...span });
      together.days += days;
      to = { ...series, day: span.toDay };
    }
    together.seriesDone += 1;
    to = { ...series, day: Number.MAX_SAFE_INTEGER };
  }
  if (to !== undefined) {
    yield { ...together, to };
  }
}

function isLeftOut(series: SeriesName, { after, only }: TellingRequest): boolean {
  return (
    (after !== undefined && compareSeries(series, after) < 0) ||
    (only !== undefined && compareSeries(series, only) !== 0)
  );
}

/** What is left to tell of one series, in pieces. */
async function* spansOf(
  stored: StoredRaw,
  series: SeriesName,
  { tenant, fromMs, toMs, after }: TellingRequest,
): AsyncGenerator<StoredSpan> {
  const begun = after !== undefined && compareSeries(series, after) === 0 ? after.day : -Infinity;
  const first = Math.max(Math.floor(fromMs / dayMs), begun);
  const end = Math.ceil(toMs / dayMs);
  for await (const { fromDay, toDay } of stored.spans(tenant, series)) {
    const last = Math.min(toDay, end);
    for (let day = Math.max(fromDay, first); day < last; day += daysPerSpanMax) {
      yield { fromDay: day, toDay: Math.min(last, day + daysPerSpanMax) };
    }
  }
}

/** The spans as a notice has them, none reaching beyond [fromMs, toMs). */
export function touchedOf(spans: readonly ToldSpan[], { fromMs, toMs }: { fromMs: number; toMs: number }): Touched {
  return {
    series: spans.map(({ series: { meter, channel } }) => ({ meter, channel })),
    index: Uint32Array.from(spans.keys()),
    fromMs: Float64Array.from(spans, ({ fromDay }) => Math.max(fromMs, fromDay * dayMs)),
    toMs: Float64Array.from(spans, ({ toDay }) => Math.min(toMs, toDay * dayMs)),
  };
}

/** By meter, then channel, in the order of their UTF-8 bytes. */
export function compareSeries(a: SeriesName, b: SeriesName): number {
  return compareText(a.meter, b.meter) || compareText(a.channel, b.channel);
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
