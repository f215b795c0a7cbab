import { setImmediate } from 'node:timers/promises';
import { encodeStoredNotice, messageAttributes, topicName, type Lane } from '@meterflow/contracts';
import type { SeriesName, Touched } from '@meterflow/readings';
import type { TouchedSeries } from '@meterflow/registry';
import type { StoredDay, StoredDays } from '@meterflow/service';
import type { OutgoingMessage, Publisher } from '@meterflow/stage';
import type { RecomputeDesk, Recomputing } from './ports.ts';
import { dayMs } from './query-span.ts';

/** A stage takes a notice as a whole: no notice tells of more local days than it may hold in memory. */
const daysPerNoticeMax = 2_000;
/** Days without a reading between two with some are recomputed with them: so few cost less than a span of their own. */
const gapDaysMax = 30;

interface Span {
  readonly series: SeriesName;
  readonly fromDay: number;
  readonly toDay: number;
}

export interface RecomputePorts {
  /** Of layer validated, series by series, ascending. */
  readonly storedDays: StoredDays;
  readonly publisher: Publisher;
  readonly lane: Lane;
  /** A key that no batch has: 32 hexadecimal characters. */
  readonly newKey: () => string;
}

/** Tells aggregation of everything that is stored of a series or tenant as if it had just been stored. */
export function recomputeDesk({ storedDays, publisher, lane, newKey }: RecomputePorts): RecomputeDesk {
  const topic = topicName('readings.stored.validated', lane);
  const message = (tenant: string, spans: readonly Span[]): OutgoingMessage => {
    const header = { tenant, layer: 'validated', activation: 0, key: newKey(), causes: [] } as const;
    const payload = encodeStoredNotice({ ...header, touched: touchedOf(spans) });
    return { topic, payload, attributes: messageAttributes('StoredNotice', tenant) };
  };
  const tell = async (tenant: string, days: ReturnType<StoredDays>, signal?: AbortSignal): Promise<Recomputing> => {
    const told = new Set<string>();
    let notices = 0;
    for await (const spans of notable(spansOf(days))) {
      signal?.throwIfAborted();
      await publisher.publish([message(tenant, spans)]);
      notices += 1;
      spans.forEach(({ series: { meter, channel } }) => told.add(`${meter}\n${channel}`));
    }
    return { series: told.size, notices };
  };
  return {
    recompute: ({ tenant, series }, signal) =>
      tell(tenant, storedDays(series === undefined ? { tenant } : { tenant, series }), signal),
    recomputeTouched: (tenant, touched, signal) => tell(tenant, touchedDays(tenant, touched, storedDays), signal),
    recomputeDays: (tenant, touched, signal) => tell(tenant, daysWithin(touched), signal),
  };
}

/** What is stored of each series on the days that its span touches, in any zone. */
async function* touchedDays(
  tenant: string,
  touched: Parameters<RecomputeDesk['recomputeTouched']>[1],
  storedDays: StoredDays,
): AsyncGenerator<StoredDay> {
  for await (const { series, fromMs, toMs } of touched) {
    for await (const each of storedDays({ tenant, series })) {
      if ((each.day + 2) * dayMs > fromMs && (each.day - 1) * dayMs < toMs) {
        yield each;
      }
    }
  }
}

/** Every day of these spans. */
function* daysWithin(touched: readonly TouchedSeries[]): Generator<StoredDay> {
  for (const { series, fromMs, toMs } of touched) {
    for (let day = Math.floor(fromMs / dayMs); day * dayMs < toMs; day++) {
      yield { series, day };
    }
  }
}

/** Where a series has readings: spans of UTC days, none longer than half of what a notice may tell of. */
async function* spansOf(days: ReturnType<StoredDays>): AsyncGenerator<Span> {
  let open: Span | undefined;
  let seen = 0;
  for await (const { series, day } of days) {
    const span = { series, fromDay: day, toDay: day + 1 };
    if (open === undefined || !goesOn(open, span)) {
      if (open !== undefined) {
        yield open;
      }
      open = span;
    } else {
      open = { ...open, toDay: span.toDay };
    }
    seen += 1;
    if (seen % daysPerNoticeMax === 0) {
      // Much may be stored, and the API answers others in between.
      await setImmediate();
    }
  }
  if (open !== undefined) {
    yield open;
  }
}

function goesOn(open: Span, day: Span): boolean {
  return (
    open.series.meter === day.series.meter &&
    open.series.channel === day.series.channel &&
    day.fromDay - open.toDay <= gapDaysMax &&
    day.toDay - open.fromDay <= daysPerNoticeMax / 2
  );
}

/** Puts spans together as far as a notice holds them. */
async function* notable(spans: AsyncIterable<Span>): AsyncGenerator<readonly Span[]> {
  let together: Span[] = [];
  let days = 0;
  for await (const span of spans) {
    const more = span.toDay - span.fromDay + 2;
    if (together.length > 0 && days + more > daysPerNoticeMax) {
      yield together;
      together = [];
      days = 0;
    }
    together.push(span);
    days += more;
  }
  if (together.length > 0) {
    yield together;
  }
}

/** A day more on both sides: windows that begin there may take the place of one of a former zone. */
function touchedOf(spans: readonly Span[]): Touched {
  return {
    series: spans.map(({ series: { meter, channel } }) => ({ meter, channel })),
    index: Uint32Array.from(spans.keys()),
    fromMs: Float64Array.from(spans, ({ fromDay }) => Math.max(0, fromDay - 1) * dayMs),
    toMs: Float64Array.from(spans, ({ toDay }) => (toDay + 1) * dayMs),
  };
}
