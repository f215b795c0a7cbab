import { calendarOf } from '@meterflow/aggregates';
import type { Lane } from '@meterflow/contracts';
import type { SeriesName } from '@meterflow/readings';
import type {
  Activations,
  ClosedDays,
  ClosedDaysRegistry,
  SeriesRegistry,
  Tenants,
  WholeSnapshot,
} from '@meterflow/registry';
import { channelNeeds, type Activation } from '@meterflow/rules';
import type { Publisher } from '@meterflow/stage';
import { DayNotices } from './day-notices.ts';
import type { KnownSeries } from './known-series.ts';

/** So long after its end a local day is closed: no more readings are waited for. What comes later still counts. */
export const graceMsDefault = 24 * 60 * 60 * 1000;
/** How often is looked whether there is something to close: a day that is over, or a new activation. */
const closePollMs = 1_000;
/** So long after it failed, or found no series, a tenant is looked at again. */
const retryMs = 60_000;
/** The longest that is not looked whether a tenant has series in zones that it had none in before. */
const newZonesMs = 60 * 60 * 1000;

export interface DayCloserPorts {
  readonly tenants: Pick<Tenants, 'list'>;
  readonly activations: Pick<Activations, 'readNewest'>;
  readonly series: Pick<SeriesRegistry, 'snapshot'>;
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
        const againMs = await this.#closeTenant(name, activation).catch((error: unknown) => {
          this.#ports.onProblem({ tenant: name, message: (error as Error).message });
          return this.#ports.nowMs() + retryMs;
        });
        this.#looks.set(name, { activation: activation.number, againMs });
      }
    }
  }

  /** Resolves to when there may be something to close again. */
  async #closeTenant(tenant: string, { flow }: Activation): Promise<number> {
    const settings = await this.#ports.series.snapshot(tenant);
    const zones = new Map<string, ZoneClosing>();
    for await (const { meter, channel } of this.#ports.known.series(tenant)) {
      const series = { meter, channel };
      const { timeZone } = settings.of(meter, channel);
      const zone = zones.get(timeZone) ?? (await this.#zoneClosing({ tenant, timeZone, settings }));
      zones.set(timeZone, zone);
      const needs = channelNeeds(flow, series);
      if (needs !== undefined) {
        zone.hasFlow = true;
        await this.#tell(zone, { ...zone.due, series, lookAheadDays: needs.lookAheadDays });
      }
      await this.#tell(zone, { ...zone.closed, series, lookAheadDays: 0 });
    }
    for (const zone of zones.values()) {
      await this.#finish(zone);
    }
    return this.#againMs([...zones.keys()]);
  }

  /** The day is closed first, then told, then it was told: ended in between, it is told again. */
  async #zoneClosing(zone: Zone): Promise<ZoneClosing> {
    const { publisher, closedDays, lane, nowMs, graceMs } = this.#ports;
    const { tenant, timeZone } = zone;
    const closedThroughMs = closedAtMs(timeZone, nowMs(), graceMs);
    const known = await closedDays.of(tenant, timeZone);
    const isClosed = known !== undefined && known.closedThroughMs >= closedThroughMs;
    const now: ClosedDays = isClosed ? known : await closedDays.raise(tenant, timeZone, { closedThroughMs });
    const due = new DayNotices(publisher, { topic: 'days.due', lane, tenant, layer: 'raw' });
    const closed = new DayNotices(publisher, { topic: 'days.closed', lane, tenant, layer: 'validated' });
    return {
      ...{ ...zone, hasFlow: false, closedThroughMs: now.closedThroughMs },
      due: { notices: due, throughMs: now.publishedThroughMs },
      closed: { notices: closed, throughMs: now.toldThroughMs },
    };
  }

  async #tell(zone: ZoneClosing, told: SeriesTelling): Promise<void> {
    if (told.throughMs < zone.closedThroughMs) {
      await told.notices.add(told.series, await this.#beginsMs(zone, told), zone.closedThroughMs);
    }
  }

  async #finish({ tenant, timeZone, hasFlow, closedThroughMs, due, closed }: ZoneClosing): Promise<void> {
    const { closedDays } = this.#ports;
    if (hasFlow && due.throughMs < closedThroughMs) {
      await due.notices.flush();
      await closedDays.raise(tenant, timeZone, { publishedThroughMs: closedThroughMs });
    }
    if (closed.throughMs < closedThroughMs) {
      await closed.notices.flush();
      await closedDays.raise(tenant, timeZone, { toldThroughMs: closedThroughMs });
    }
  }

  /**
   * From where on a series is told: what is closed since the last time, or, where nothing was told of it yet, all since
   * its first day, and those before it that a rule which looks ahead may fill, as what is stored on that day makes due.
   */
  async #beginsMs(zone: ZoneClosing, { series, throughMs, lookAheadDays }: SeriesTelling): Promise<number> {
    const { sinceMs = 0 } = zone.settings.of(series.meter, series.channel);
    const isTold = throughMs > 0 && !(sinceMs > throughMs);
    const firstMs = isTold ? undefined : await this.#ports.known.firstMs(zone.tenant, series);
    if (firstMs === undefined) {
      return throughMs > 0 ? throughMs : zone.closedThroughMs;
    }
    const calendar = calendarOf(zone.timeZone);
    return Math.max(throughMs, calendar.dayStartMs(calendar.dayOf(firstMs) - lookAheadDays));
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
  readonly settings: WholeSnapshot;
}

/** One topic that a zone's closed days are told on, and up to where they were. */
interface Telling {
  readonly notices: DayNotices;
  readonly throughMs: number;
}

interface SeriesTelling extends Telling {
  readonly series: SeriesName;
  readonly lookAheadDays: number;
}

/** The closing of a zone's days at one look. */
interface ZoneClosing extends Zone {
  readonly closedThroughMs: number;
  readonly due: Telling;
  readonly closed: Telling;
  /** Whether any of its series has a series flow: where none has, nobody was to be told what is due. */
  hasFlow: boolean;
}

/** Local days that end here or before are closed. */
export function closedAtMs(timeZone: string, nowMs: number, graceMs: number): number {
  const calendar = calendarOf(timeZone);
  return calendar.dayStartMs(calendar.dayOf(nowMs - graceMs));
}
