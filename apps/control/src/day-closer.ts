import { calendarOf } from '@meterflow/aggregates';
import { DayNotices, type DaySpan, type Lane } from '@meterflow/contracts';
import type { SeriesName } from '@meterflow/readings';
import {
  closedDaysToldMax,
  instantMsMax,
  type Activations,
  type ClosedDays,
  type ClosedDaysRegistry,
  type SeriesRegistry,
  type Tenants,
  type ToldSince,
  type SeriesSettings,
} from '@meterflow/registry';
import { channelNeeds, type Activation } from '@meterflow/rules';
import type { OutgoingMessage, Publisher } from '@meterflow/stage';
import type { KnownSeries } from './known-series.ts';

/** So long after its end a local day is closed: no more readings are waited for. What comes later still counts. */
export const graceMsDefault = 24 * 60 * 60 * 1000;
/** How often is looked whether there is something to close: a day that is over, or a new activation. */
const closePollMs = 1_000;
/** So long after it failed, or found no series, a tenant is looked at again. */
const retryMs = 60_000;
/** The longest that is not looked whether a tenant has series in zones that it had none in before. */
const newZonesMs = 60 * 60 * 1000;
/** Series that are looked up together: all that there are may be too many to hold. */
const pageSeries = 500;

export interface DayCloserPorts {
  readonly tenants: Pick<Tenants, 'list'>;
  readonly activations: Pick<Activations, 'readNewest' | 'counting'>;
  /** Uncached: what was registered before a day is closed is told of it. */
  readonly series: Pick<SeriesRegistry, 'all' | 'current' | 'snapshotOf'>;
  readonly closedDays: Pick<ClosedDaysRegistry, 'of' | 'raise'>;
  readonly toldSince: Pick<ToldSince, 'of'>;
  /** Every series that is registered, or of which something raw is stored, and when each begins. */
  readonly known: Pick<KnownSeries, 'series' | 'firstMs' | 'storedMs'>;
  readonly publisher: Publisher;
  readonly nowMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly lane: Lane;
  readonly graceMs: number;
  /** Told when closing fails: it is tried again at the next look. */
  readonly onProblem: (problem: { readonly tenant: string; readonly message: string }) => void;
}

/** What is known of a tenant since it was last looked at. */
interface Look {
  readonly activation: number;
  /** When there is something to close again. */
  readonly againMs: number;
}

/**
 * Closes local days: raises `closedThrough` of a tenant and zone once a day's end and the grace have passed, tells every
 * series that has a series flow on `days.due` and then raises `publishedThrough`, tells all series on `days.closed` and then
 * raises `toldThrough`. Killed in between, or run by two at once, it tells the same again, which the stages absorb.
 */
export class DayCloser {
  readonly #ports: DayCloserPorts;
  readonly #looks = new Map<string, Look>();

  constructor(ports: DayCloserPorts) {
    this.#ports = ports;
  }

  /** Looks again and again until the signal aborts; first at all, for what was closed and not told. Never rejects. */
  async watch(signal: AbortSignal): Promise<void> {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      await this.close(isFirst ? 'all' : 'due').catch((error: unknown) => {
        this.#ports.onProblem({ tenant: '', message: (error as Error).message });
      });
      await this.#ports.sleep(closePollMs, signal);
    }
  }

  /** Looks once, at all tenants or at those alone that have a day to close or have had an activation since. */
  async close(which: 'all' | 'due' = 'all'): Promise<void> {
    for (const { name } of await this.#ports.tenants.list()) {
      const activation = await this.#ports.activations.readNewest(name);
      const look = this.#looks.get(name);
      const isDue = look?.activation !== activation.number || look.againMs <= this.#ports.nowMs();
      if (which === 'all' || isDue) {
        const againMs = await this.#closeTenant(name).catch((error: unknown) => {
          this.#ports.onProblem({ tenant: name, message: (error as Error).message });
          return this.#ports.nowMs() + retryMs;
        });
        this.#looks.set(name, { activation: activation.number, againMs });
      }
    }
  }

  /**
   * 1. Days are closed, 2. what counts and who is there is read, 3. they are told, 4. they were told. Whatever is stored or
   * activated after 2 sees that they are closed; ended in between, 3 is done again. Resolves to when there may be something
   * to close again.
   */
  async #closeTenant(tenant: string): Promise<number> {
    const zones = await this.#closeZones(tenant);
    const counting = await this.#counting(tenant);
    let hasNewZone = false;
    for await (const met of this.#withSettings(tenant)) {
      const zone = zones.get(met.settings.timeZone);
      if (zone === undefined) {
        hasNewZone = true;
        continue;
      }
      zone.hasSeries = true;
      const needs = counting.flatMap(({ flow }) => channelNeeds(flow, met.series) ?? []);
      if (needs.length > 0) {
        zone.hasFlow = true;
        await this.#tellDue(zone, met, Math.max(...needs.map(({ lookAheadDays }) => lookAheadDays)));
      }
      await this.#tellClosed(zone, met);
    }
    const ended = [...zones.values()].filter(({ hasSeries }) => hasSeries);
    for (const zone of ended) {
      await this.#finish(zone);
    }
    // A zone that came up meanwhile has its days closed, and only then its series told.
    const againMs = this.#againMs(ended.map(({ timeZone }) => timeZone));
    return hasNewZone ? Math.min(againMs, this.#ports.nowMs() + retryMs) : againMs;
  }

  /** All that counts for any reading. */
  async #counting(tenant: string): Promise<readonly Activation[]> {
    const { activations } = this.#ports;
    const { number } = await activations.readNewest(tenant);
    return activations.counting(tenant, number, { fromMs: -instantMsMax, toMs: instantMsMax });
  }

  /** Closes days in the zones of all series that there may be. */
  async #closeZones(tenant: string): Promise<Map<string, ZoneClosing>> {
    const zones = new Set<string>();
    for await (const { settings } of this.#ports.series.all(tenant)) {
      zones.add(settings.timeZone);
    }
    zones.add((await this.#ports.series.current(tenant)).timeZone);
    const closings = new Map<string, ZoneClosing>();
    for (const timeZone of zones) {
      closings.set(timeZone, await this.#zoneClosing({ tenant, timeZone }));
    }
    return closings;
  }

  /** The day is closed first, then told, then it was told: ended in between, it is told again. */
  async #zoneClosing(zone: Zone): Promise<ZoneClosing> {
    const { closedDays, lane, nowMs, graceMs } = this.#ports;
    const { tenant, timeZone } = zone;
    const closedThroughMs = closedAtMs(timeZone, nowMs(), graceMs);
    const known = await closedDays.of(tenant, timeZone);
    const isClosed = known !== undefined && known.closedThroughMs >= closedThroughMs;
    const now: ClosedDays = isClosed ? known : await closedDays.raise(tenant, timeZone, { closedThroughMs });
    const due = new DayNotices({ topic: 'days.due', lane, tenant, layer: 'raw' });
    const closed = new DayNotices({ topic: 'days.closed', lane, tenant, layer: 'validated' });
    return {
      ...{ ...zone, hasSeries: false, hasFlow: false, closedThroughMs: now.closedThroughMs },
      due: { notices: due, throughMs: now.publishedThroughMs },
      closed: { notices: closed, throughMs: now.toldThroughMs },
    };
  }

  /** Every known series, with what is registered of it. */
  async *#withSettings(tenant: string): AsyncGenerator<MetSeries> {
    for await (const page of pages(this.#ports.known.series(tenant), pageSeries)) {
      const settings = await this.#ports.series.snapshotOf(tenant, page);
      yield* page.map(({ meter, channel }) => ({ series: { meter, channel }, settings: settings.of(meter, channel) }));
    }
  }

  async #tellDue(zone: ZoneClosing, met: MetSeries, lookAheadDays: number): Promise<void> {
    if (zone.due.throughMs < zone.closedThroughMs) {
      for (const span of await this.#dueSpans(zone, met, lookAheadDays)) {
        await this.#publish(zone.due.notices.add(span));
      }
    }
  }

  async #tellClosed(zone: ZoneClosing, met: MetSeries): Promise<void> {
    const { closed, closedThroughMs: toMs } = zone;
    if (closed.throughMs < toMs) {
      const since = { series: met.series, fromMs: await this.#closedSinceMs(zone, met), toMs };
      for (const span of [...(await this.#closedBefore(zone, met)), since]) {
        await this.#publish(closed.notices.add(span));
      }
    }
  }

  async #publish(messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length > 0) {
      await this.#ports.publisher.publish(messages);
    }
  }

  async #finish({ tenant, timeZone, hasFlow, closedThroughMs, due, closed }: ZoneClosing): Promise<void> {
    const { closedDays } = this.#ports;
    if (hasFlow && due.throughMs < closedThroughMs) {
      await this.#publish(due.notices.finish());
      await closedDays.raise(tenant, timeZone, { publishedThroughMs: closedThroughMs });
    }
    if (closed.throughMs < closedThroughMs) {
      await this.#publish(closed.notices.finish());
      await closedDays.raise(tenant, timeZone, { toldThroughMs: closedThroughMs });
    }
  }

  /**
   * What is closed since the last time, and, where it was not told of yet, all since readings are expected; at first all
   * since its first day. Days before it that a rule which looks ahead may fill are due with it.
   */
  async #dueSpans(zone: ZoneClosing, { series, settings }: MetSeries, lookAheadDays: number): Promise<DaySpan[]> {
    const { tenant, timeZone, closedThroughMs: toMs } = zone;
    const publishedMs = zone.due.throughMs;
    const calendar = calendarOf(timeZone);
    const beginsMs = (firstMs: number): number => calendar.dayStartMs(calendar.dayOf(firstMs) - lookAheadDays);
    if (publishedMs === 0) {
      const firstMs = await this.#ports.known.firstMs(tenant, series);
      return firstMs === undefined ? [] : [{ series, fromMs: beginsMs(firstMs), toMs }];
    }
    const { sinceMs = Infinity } = settings;
    const fromMs = sinceMs < publishedMs ? beginsMs(sinceMs) : publishedMs;
    const toldMs = fromMs < publishedMs ? await this.#ports.toldSince.of({ tenant, series, timeZone }) : publishedMs;
    const earlier = { series, fromMs, toMs: Math.min(toldMs ?? publishedMs, publishedMs) };
    return [{ series, fromMs: publishedMs, toMs }, earlier].filter((span) => span.fromMs < span.toMs);
  }

  /** What is closed since the last time, or, where nothing was told of it yet, since its first day, as far back as is told. */
  async #closedSinceMs(zone: ZoneClosing, { series, settings }: MetSeries): Promise<number> {
    const { throughMs } = zone.closed;
    const { sinceMs = 0 } = settings;
    const isTold = throughMs > 0 && !(sinceMs > throughMs);
    const firstMs = isTold ? undefined : await this.#ports.known.firstMs(zone.tenant, series);
    if (firstMs === undefined) {
      return throughMs > 0 ? throughMs : zone.closedThroughMs;
    }
    const calendar = calendarOf(zone.timeZone);
    const firstDay = Math.max(calendar.dayOf(firstMs), calendar.dayOf(zone.closedThroughMs) - closedDaysToldMax);
    return Math.max(throughMs, calendar.dayStartMs(firstDay));
  }

  /**
   * What was told already, of which somebody has said since then that readings were to come: up to the first that did. What
   * follows stored days is told when they are stored.
   */
  async #closedBefore(zone: ZoneClosing, { series, settings }: MetSeries): Promise<DaySpan[]> {
    const { tenant, timeZone, closed, closedThroughMs } = zone;
    const { sinceMs = Infinity, sinceSetMs = 0 } = settings;
    // The last telling was so long after the last day that it told of, or later.
    if (closed.throughMs === 0 || sinceMs >= closed.throughMs || sinceSetMs <= closed.throughMs + this.#ports.graceMs) {
      return [];
    }
    const calendar = calendarOf(timeZone);
    const storedMs = (await this.#ports.known.storedMs(tenant, series)) ?? Infinity;
    const firstDay = Math.max(calendar.dayOf(sinceMs), calendar.dayOf(closedThroughMs) - closedDaysToldMax);
    const fromMs = calendar.dayStartMs(firstDay);
    const toMs = Math.min(
      closed.throughMs,
      storedMs === Infinity ? Infinity : calendar.dayStartMs(calendar.dayOf(storedMs)),
    );
    return fromMs < toMs ? [{ series, fromMs, toMs }] : [];
  }

  /** When the next day of any of these zones is closed; not too late for zones that are new. */
  #againMs(timeZones: readonly string[]): number {
    const { nowMs, graceMs } = this.#ports;
    const atMs = nowMs();
    const next = timeZones.map((timeZone) => {
      const calendar = calendarOf(timeZone);
      return calendar.dayStartMs(calendar.dayOf(atMs - graceMs) + 1) + graceMs;
    });
    return Math.min(atMs + (next.length === 0 ? retryMs : newZonesMs), ...next);
  }
}

interface Zone {
  readonly tenant: string;
  readonly timeZone: string;
}

interface MetSeries {
  readonly series: SeriesName;
  readonly settings: SeriesSettings;
}

async function* pages(all: AsyncIterable<SeriesName>, size: number): AsyncGenerator<readonly SeriesName[]> {
  let page: SeriesName[] = [];
  for await (const each of all) {
    page.push(each);
    if (page.length === size) {
      yield page;
      page = [];
    }
  }
  yield page;
}

/** One topic that a zone's closed days are told on, and up to where they were. */
interface Telling {
  readonly notices: DayNotices;
  readonly throughMs: number;
}

/** The closing of a zone's days at one look. */
interface ZoneClosing extends Zone {
  readonly closedThroughMs: number;
  readonly due: Telling;
  readonly closed: Telling;
  /** Whether there is any series in it. */
  hasSeries: boolean;
  /** Whether any of its series has a series flow: where none has, nobody was to be told what is due. */
  hasFlow: boolean;
}

/** Local days that end here or before are closed. */
export function closedAtMs(timeZone: string, nowMs: number, graceMs: number): number {
  const calendar = calendarOf(timeZone);
  return calendar.dayStartMs(calendar.dayOf(nowMs - graceMs));
}
