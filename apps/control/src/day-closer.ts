import { createHash } from 'node:crypto';
import { calendarOf } from '@meterflow/aggregates';
import { encodeStoredNotice, messageAttributes, topicName, type Lane } from '@meterflow/contracts';
import type { SeriesName } from '@meterflow/readings';
import type { Activations, ClosedDays, ClosedDaysRegistry, SeriesRegistry, Tenants } from '@meterflow/registry';
import { channelNeeds, type Activation, type Flow } from '@meterflow/rules';
import type { OutgoingMessage, Publisher } from '@meterflow/stage';
import type { KnownSeries } from './known-series.ts';

/** So long after its end a local day is closed: no more readings are waited for. What comes later still counts. */
export const graceMsDefault = 24 * 60 * 60 * 1000;
/** How often is looked whether a day is to be closed. */
const closePollMs = 60_000;
/** How often is looked whether there is a new activation: its days are closed at once. */
export const activationPollMs = 1_000;
/** A notice tells of at most so many days of all its series together: a stage runs them as a whole. */
const daysPerNoticeMax = 1_000;
const dayMs = 24 * 60 * 60 * 1000;

export interface DayCloserPorts {
  readonly tenants: Pick<Tenants, 'list'>;
  readonly activations: Pick<Activations, 'readNewest'>;
  readonly series: Pick<SeriesRegistry, 'snapshot' | 'snapshotOf'>;
  readonly closedDays: Pick<ClosedDaysRegistry, 'of' | 'raise'>;
  /** Every series that is registered, or of which something raw is stored, and when each begins. */
  readonly known: Pick<KnownSeries, 'series' | 'firstMs'>;
  readonly publisher: Publisher;
  readonly nowMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly lane: Lane;
  readonly graceMs: number;
  /** Told when closing fails: it is tried again at the next look. */
  readonly onProblem: (problem: { readonly tenant: string; readonly message: string }) => void;
}

/**
 * Closes local days: raises `closedThrough` of a tenant and zone once a day's end and the grace have passed, tells every
 * series that has a series flow on `days.due`, then raises `publishedThrough`. Killed in between, or run by two at once,
 * it tells the same again, which the stage absorbs.
 */
export class DayCloser {
  readonly #ports: DayCloserPorts;
  /** The activation that each tenant had at the last look that went well. */
  readonly #seen = new Map<string, number>();

  constructor(ports: DayCloserPorts) {
    this.#ports = ports;
  }

  /** Looks again and again until the signal aborts; first at once, for what was closed and not told. Never rejects. */
  async watch(signal: AbortSignal): Promise<void> {
    const looksPerPoll = closePollMs / activationPollMs;
    for (let look = 0; !signal.aborted; look = (look + 1) % looksPerPoll) {
      await this.close(look === 0 ? 'all' : 'activated').catch((error: unknown) => {
        this.#ports.onProblem({ tenant: '', message: (error as Error).message });
      });
      await this.#ports.sleep(activationPollMs, signal);
    }
  }

  /** Looks once, at all tenants or at those alone that have had an activation since. */
  async close(which: 'all' | 'activated' = 'all'): Promise<void> {
    for (const { name } of await this.#ports.tenants.list()) {
      const activation = await this.#ports.activations.readNewest(name);
      if (which === 'all' || this.#seen.get(name) !== activation.number) {
        await this.#closeTenant(name, activation).then(
          () => this.#seen.set(name, activation.number),
          (error: unknown) => {
            this.#ports.onProblem({ tenant: name, message: (error as Error).message });
          },
        );
      }
    }
  }

  async #closeTenant(tenant: string, activation: Activation): Promise<void> {
    if (activation.flow.steps.every(({ rule }) => rule.series === undefined)) {
      return;
    }
    const { closedDays, nowMs, graceMs } = this.#ports;
    for (const [timeZone, series] of await this.#seriesByZone(tenant, activation)) {
      const closedThroughMs = closedAtMs(timeZone, nowMs(), graceMs);
      const known = await closedDays.of(tenant, timeZone);
      if (known !== undefined && known.publishedThroughMs >= closedThroughMs) {
        continue;
      }
      // 1. The day is closed, 2. it is told, 3. it was told: ended in between, 2 is done again.
      const closed = await closedDays.raise(tenant, timeZone, { closedThroughMs });
      await this.#tell({ tenant, timeZone, flow: activation.flow, series, closed });
      await closedDays.raise(tenant, timeZone, { publishedThroughMs: closed.closedThroughMs });
    }
  }

  /** The series that have a series flow, by time zone. */
  async #seriesByZone(tenant: string, { flow }: Activation): Promise<Map<string, SeriesName[]>> {
    const settings = await this.#ports.series.snapshot(tenant);
    const zones = new Map<string, SeriesName[]>();
    for await (const { meter, channel } of this.#ports.known.series(tenant)) {
      if (channelNeeds(flow, { meter, channel }) !== undefined) {
        const { timeZone } = settings.of(meter, channel);
        const known = zones.get(timeZone) ?? [];
        known.push({ meter, channel });
        zones.set(timeZone, known);
      }
    }
    return zones;
  }

  async #tell(telling: Telling): Promise<void> {
    const { publisher, lane } = this.#ports;
    const { tenant, series, closed } = telling;
    const topic = topicName('days.due', lane);
    const toMs = closed.closedThroughMs;
    let told: DueSpan[] = [];
    let days = 0;
    for (const each of series) {
      const fromMs = await this.#beginsMs(telling, each);
      for (const span of spansOf(each, fromMs, toMs)) {
        const more = Math.ceil((span.toMs - span.fromMs) / dayMs);
        if (days + more > daysPerNoticeMax) {
          await publisher.publish([dueNotice(tenant, told, topic)]);
          told = [];
          days = 0;
        }
        told.push(span);
        days += more;
      }
    }
    if (told.length > 0) {
      await publisher.publish([dueNotice(tenant, told, topic)]);
    }
  }

  /**
   * From where on a series is told: what is closed since the last time, or, where nothing was told of it yet, all since
   * its first day, and those before it that a rule which looks ahead may fill, as what is stored on that day makes due.
   */
  async #beginsMs({ tenant, timeZone, flow, closed }: Telling, series: SeriesName): Promise<number> {
    const { publishedThroughMs, closedThroughMs } = closed;
    const { sinceMs = 0 } = (await this.#ports.series.snapshotOf(tenant, [series])).of(series.meter, series.channel);
    const isTold = publishedThroughMs > 0 && !(sinceMs > publishedThroughMs);
    const firstMs = isTold ? undefined : await this.#ports.known.firstMs(tenant, series);
    if (firstMs === undefined) {
      return publishedThroughMs > 0 ? publishedThroughMs : closedThroughMs;
    }
    const calendar = calendarOf(timeZone);
    const ahead = channelNeeds(flow, series)?.lookAheadDays ?? 0;
    return Math.max(publishedThroughMs, calendar.dayStartMs(calendar.dayOf(firstMs) - ahead));
  }
}

interface Telling {
  readonly tenant: string;
  readonly timeZone: string;
  readonly flow: Flow;
  readonly series: readonly SeriesName[];
  readonly closed: ClosedDays;
}

/** Local days that end here or before are closed. */
export function closedAtMs(timeZone: string, nowMs: number, graceMs: number): number {
  const calendar = calendarOf(timeZone);
  return calendar.dayStartMs(calendar.dayOf(nowMs - graceMs));
}

/** In spans that a notice has room for several of. */
function spansOf(series: SeriesName, fromMs: number, toMs: number): DueSpan[] {
  const spanMs = (daysPerNoticeMax / 10) * dayMs;
  return Array.from({ length: Math.max(0, Math.ceil((toMs - fromMs) / spanMs)) }, (_, index) => ({
    series,
    fromMs: fromMs + index * spanMs,
    toMs: Math.min(toMs, fromMs + (index + 1) * spanMs),
  }));
}

interface DueSpan {
  readonly series: SeriesName;
  readonly fromMs: number;
  readonly toMs: number;
}

function dueNotice(tenant: string, spans: readonly DueSpan[], topic: string): OutgoingMessage {
  const named = JSON.stringify([
    tenant,
    spans.map(({ series: { meter, channel }, fromMs, toMs }) => [meter, channel, fromMs, toMs]),
  ]);
  const payload = encodeStoredNotice({
    ...{ tenant, layer: 'raw', activation: 0, causes: [] },
    key: createHash('sha256').update(named).digest('hex').slice(0, 32),
    touched: {
      series: spans.map(({ series: { meter, channel } }) => ({ meter, channel })),
      index: Uint32Array.from(spans.keys()),
      fromMs: Float64Array.from(spans, ({ fromMs }) => fromMs),
      toMs: Float64Array.from(spans, ({ toMs }) => toMs),
    },
  });
  return { topic, payload, attributes: messageAttributes('StoredNotice', tenant) };
}
