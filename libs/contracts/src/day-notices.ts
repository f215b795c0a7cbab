import type { Layer, SeriesName } from '@meterflow/readings';
import type { OutgoingMessage } from '@meterflow/stage';
import { payloadKey } from './payload-key.ts';
import { encodeStoredNotice } from './stored-notice.ts';
import { messageAttributes, topicName, type Lane, type Topic } from './topics.ts';

/** A notice tells of at most so many days of all its series together: a stage runs them as a whole. */
const daysPerNoticeMax = 1_000;
/** A notice has room for several spans. */
const daysPerSpanMax = daysPerNoticeMax / 10;
const dayMs = 24 * 60 * 60 * 1000;

/** Local days of a series, be there readings of them or not. */
export interface DaySpan {
  readonly series: SeriesName;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface DayNoticesOf {
  readonly topic: Extract<Topic, 'days.due' | 'days.closed'>;
  readonly lane: Lane;
  readonly tenant: string;
  /** Whose days they are: those that rules make others of, or those that they made. */
  readonly layer: Layer;
  /** A part of the messages' keys: what is told again of another cause is no duplicate. */
  readonly cause?: string;
}

/** Gathers local days of many series into messages that a stage can take as a whole. */
export class DayNotices {
  readonly #of: DayNoticesOf;
  #spans: DaySpan[] = [];
  #days = 0;

  constructor(of: DayNoticesOf) {
    this.#of = of;
  }

  /** Returns the messages that are full by now. The newest days come first: what is told grows back in time. */
  add({ series, fromMs, toMs }: DaySpan): OutgoingMessage[] {
    const full: OutgoingMessage[] = [];
    for (let endMs = toMs; endMs > fromMs; endMs -= daysPerSpanMax * dayMs) {
      const startMs = Math.max(fromMs, endMs - daysPerSpanMax * dayMs);
      const days = Math.ceil((endMs - startMs) / dayMs);
      if (this.#days + days > daysPerNoticeMax) {
        full.push(...this.finish());
      }
      this.#spans.push({ series, fromMs: startMs, toMs: endMs });
      this.#days += days;
    }
    return full;
  }

  /** Returns what is left. */
  finish(): OutgoingMessage[] {
    const spans = this.#spans.splice(0);
    this.#days = 0;
    return spans.length === 0 ? [] : [dayNotice(this.#of, spans)];
  }
}

function dayNotice(
  { topic, lane, tenant, layer, cause = '' }: DayNoticesOf,
  spans: readonly DaySpan[],
): OutgoingMessage {
  const told = spans.map(({ series: { meter, channel }, fromMs, toMs }) => [meter, channel, fromMs, toMs]);
  const payload = encodeStoredNotice({
    ...{ tenant, layer, activation: 0, causes: [] },
    key: payloadKey(new TextEncoder().encode(JSON.stringify([tenant, told, cause]))),
    touched: {
      series: spans.map(({ series: { meter, channel } }) => ({ meter, channel })),
      index: Uint32Array.from(spans.keys()),
      fromMs: Float64Array.from(spans, ({ fromMs }) => fromMs),
      toMs: Float64Array.from(spans, ({ toMs }) => toMs),
    },
  });
  return { topic: topicName(topic, lane), payload, attributes: messageAttributes('StoredNotice', tenant) };
}
