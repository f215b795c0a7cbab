import { createHash } from 'node:crypto';
import { encodeStoredNotice, messageAttributes, topicName, type Lane, type Topic } from '@meterflow/contracts';
import type { Layer, SeriesName } from '@meterflow/readings';
import type { OutgoingMessage, Publisher } from '@meterflow/stage';

/** A notice tells of at most so many days of all its series together: a stage runs them as a whole. */
const daysPerNoticeMax = 1_000;
const dayMs = 24 * 60 * 60 * 1000;

interface DaySpan {
  readonly series: SeriesName;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface DayNoticesRequest {
  readonly topic: Extract<Topic, 'days.due' | 'days.closed'>;
  readonly lane: Lane;
  readonly tenant: string;
  /** Whose days they are: those that rules make others of, or those that they made. */
  readonly layer: Layer;
}

/** Tells local days of many series in notices that a stage can take as a whole, each published when it is full. */
export class DayNotices {
  readonly #publisher: Publisher;
  readonly #request: DayNoticesRequest;
  #spans: DaySpan[] = [];
  #days = 0;

  constructor(publisher: Publisher, request: DayNoticesRequest) {
    this.#publisher = publisher;
    this.#request = request;
  }

  /** The days of [fromMs, toMs); none where it is empty. */
  async add(series: SeriesName, fromMs: number, toMs: number): Promise<void> {
    for (const span of spansOf(series, fromMs, toMs)) {
      const more = Math.ceil((span.toMs - span.fromMs) / dayMs);
      if (this.#days + more > daysPerNoticeMax) {
        await this.flush();
      }
      this.#spans.push(span);
      this.#days += more;
    }
  }

  /** Publishes what is left, durably. */
  async flush(): Promise<void> {
    if (this.#spans.length > 0) {
      await this.#publisher.publish([dayNotice(this.#request, this.#spans)]);
      this.#spans = [];
      this.#days = 0;
    }
  }
}

/** In spans that a notice has room for several of. */
function spansOf(series: SeriesName, fromMs: number, toMs: number): DaySpan[] {
  const spanMs = (daysPerNoticeMax / 10) * dayMs;
  return Array.from({ length: Math.max(0, Math.ceil((toMs - fromMs) / spanMs)) }, (_, index) => ({
    series,
    fromMs: fromMs + index * spanMs,
    toMs: Math.min(toMs, fromMs + (index + 1) * spanMs),
  }));
}

function dayNotice({ topic, lane, tenant, layer }: DayNoticesRequest, spans: readonly DaySpan[]): OutgoingMessage {
  const named = JSON.stringify([
    tenant,
    spans.map(({ series: { meter, channel }, fromMs, toMs }) => [meter, channel, fromMs, toMs]),
  ]);
  const payload = encodeStoredNotice({
    ...{ tenant, layer, activation: 0, causes: [] },
    key: createHash('sha256').update(named).digest('hex').slice(0, 32),
    touched: {
      series: spans.map(({ series: { meter, channel } }) => ({ meter, channel })),
      index: Uint32Array.from(spans.keys()),
      fromMs: Float64Array.from(spans, ({ fromMs }) => fromMs),
      toMs: Float64Array.from(spans, ({ toMs }) => toMs),
    },
  });
  return { topic: topicName(topic, lane), payload, attributes: messageAttributes('StoredNotice', tenant) };
}
