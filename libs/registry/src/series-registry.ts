import type { SeriesName } from '@meterflow/readings';
import { changeEntry } from './change-entry.ts';
import { entries } from './entries.ts';
import { instantMsMax } from './instants.ts';
import { IntervalLengths, type RegisteredLength } from './interval-lengths.ts';
import { parseEntry } from './parse-entry.ts';
import type { Registry } from './registry.ts';
import { seriesOfPath, seriesPath } from './series-path.ts';
import {
  intervalTimeline,
  mergeSettings,
  seriesDefaults,
  seriesFactsSchema,
  seriesSettingsPartSchema,
  settingsEntrySchema,
  tagTimeline,
  type SeriesFacts,
  type SeriesSettings,
  type SeriesSettingsPart,
  type SettingsEntry,
  type TagValue,
} from './series-settings.ts';
import { stated, type Timeline, type Validity } from './timeline.ts';

/** A series that was registered, and from when on readings are expected of it: what never comes can be estimated. */
export interface RegisteredSeries extends SeriesName {
  /** Undefined for one that a build registered which did not keep it. */
  readonly sinceMs: number | undefined;
}

/** A tenant's settings at one moment: look-ups cost no I/O. */
export interface SettingsSnapshot {
  of(meter: string, channel: string): SeriesSettings;
  /** The interval lengths among them. */
  readonly lengths: IntervalLengths;
  /** Every series that has settings of its own. */
  registered(): Iterable<RegisteredSeries>;
  /** From when on readings of a series are expected; undefined for one that is not registered. */
  since(meter: string, channel: string): number | undefined;
}

export interface SeriesRegistryPorts {
  readonly registry: Registry;
  readonly nowMs: () => number;
  /** How old a snapshot may be. */
  readonly cacheMs: number;
}

interface CachedSnapshot {
  readonly readAtMs: number;
  readonly snapshot: Promise<SettingsSnapshot>;
}

interface Target {
  readonly kind: 'series' | 'setting';
  readonly name: string;
  /** The zone that holds where the entry has none of its own. */
  readonly inherited: string;
}

export class SeriesRegistry {
  readonly #ports: SeriesRegistryPorts;
  readonly #snapshots = new Map<string, CachedSnapshot>();

  constructor(ports: SeriesRegistryPorts) {
    this.#ports = ports;
  }

  /** The tenant's settings, no older than `cacheMs`. */
  snapshot(tenant: string): Promise<SettingsSnapshot> {
    const { nowMs, cacheMs } = this.#ports;
    const cached = this.#snapshots.get(tenant);
    const readAtMs = nowMs();
    if (cached !== undefined && readAtMs - cached.readAtMs <= cacheMs) {
      return cached.snapshot;
    }
    const snapshot = this.#read(tenant);
    this.#snapshots.set(tenant, { readAtMs, snapshot });
    snapshot.catch(() => {
      this.#snapshots.delete(tenant);
    });
    return snapshot;
  }

  /** As they are now, uncached: of one series, or what holds for all that don't say otherwise. */
  async current(tenant: string, series?: SeriesName): Promise<SeriesSettings> {
    const { registry, nowMs } = this.#ports;
    const fallback = await this.#fallback(tenant);
    const entry = series === undefined ? undefined : await registry.get('series', seriesEntry(tenant, series));
    return entry === undefined ? fallback : mergeSettings(fallback, parseEntry(settingsEntrySchema, entry), nowMs());
  }

  /**
   * Sets what is given for one series and all time; undefined takes a setting back. Whatever is first set or stated of a
   * series registers it: readings are expected from then on, or from `sinceMs` on. Throws ZodError naming each problem.
   */
  async set(
    tenant: string,
    series: SeriesName,
    { sinceMs, ...part }: SeriesSettingsPart & { readonly sinceMs?: number | undefined },
  ): Promise<void> {
    const checked = { ...seriesSettingsPartSchema.parse(part), ...(sinceMs === undefined ? {} : { sinceMs }) };
    await this.#change(tenant, await this.#target(tenant, series), (before) => withPart(before, checked));
  }

  /** States what holds of one series, or of all that don't say otherwise, within the validity. Throws ZodError. */
  async state(
    tenant: string,
    series: SeriesName | undefined,
    { facts, validity }: { readonly facts: SeriesFacts; readonly validity: Validity },
  ): Promise<void> {
    const checked = seriesFactsSchema.parse(facts);
    await this.#change(tenant, await this.#target(tenant, series), (before) => withFacts(before, checked, validity));
  }

  /** Sets what is given for all series of the tenant that don't say otherwise. */
  async setDefault(tenant: string, part: SeriesSettingsPart): Promise<void> {
    const checked = seriesSettingsPartSchema.parse(part);
    await this.#change(tenant, await this.#target(tenant, undefined), (before) => withPart(before, checked));
  }

  /** The same for a tenant that is new: nothing of it was aggregated in another zone. */
  async beginDefault(tenant: string, part: SeriesSettingsPart): Promise<void> {
    const checked = seriesSettingsPartSchema.parse(part);
    const inherited = part.timeZone ?? seriesDefaults.timeZone;
    const target = { kind: 'setting', name: defaultEntry(tenant), inherited } as const;
    await this.#change(tenant, target, (before) => withPart(before, checked));
  }

  async #target(tenant: string, series: SeriesName | undefined): Promise<Target> {
    if (series === undefined) {
      return { kind: 'setting', name: defaultEntry(tenant), inherited: seriesDefaults.timeZone };
    }
    const { timeZone } = await this.#fallback(tenant);
    return { kind: 'series', name: seriesEntry(tenant, series), inherited: timeZone };
  }

  async #change(tenant: string, target: Target, decide: (before: SettingsEntry) => SettingsEntry): Promise<void> {
    await changeEntry(this.#ports.registry, target, (entry) => {
      const fresh = target.kind === 'series' ? { sinceMs: this.#ports.nowMs() } : {};
      const before = entry === undefined ? fresh : parseEntry(settingsEntrySchema, entry);
      return settingsEntrySchema.parse(withFormerZone(before, decide(before), target.inherited));
    });
    this.#snapshots.delete(tenant);
  }

  async #fallback(tenant: string): Promise<SeriesSettings> {
    const { registry, nowMs } = this.#ports;
    const entry = await registry.get('setting', defaultEntry(tenant));
    return entry === undefined
      ? seriesDefaults
      : mergeSettings(seriesDefaults, parseEntry(settingsEntrySchema, entry), nowMs());
  }

  async #read(tenant: string): Promise<SettingsSnapshot> {
    const nowMs = this.#ports.nowMs();
    const fallback = await this.#fallback(tenant);
    const own = new Map<string, SeriesSettings>();
    const ownLengths = new Map<string, RegisteredLength>();
    const since = new Map<string, number | undefined>();
    for await (const series of entries(this.#ports.registry, 'series', `${tenant}/`)) {
      const path = series.name.slice(tenant.length + 1);
      const entry = parseEntry(settingsEntrySchema, series);
      const settings = mergeSettings(fallback, entry, nowMs);
      own.set(path, settings);
      since.set(path, entry.sinceMs);
      const length = lengthOf(settings);
      if (length !== undefined) {
        ownLengths.set(path, length);
      }
    }
    return {
      of: (meter, channel) => (own.size === 0 ? fallback : (own.get(seriesPath(meter, channel)) ?? fallback)),
      lengths: new IntervalLengths(lengthOf(fallback), ownLengths),
      registered: function* () {
        for (const [path, sinceMs] of since) {
          yield { ...seriesOfPath(path), sinceMs };
        }
      },
      since: (meter, channel) => since.get(seriesPath(meter, channel)),
    };
  }
}

/** One length where it never changes: what costs nothing to look at. */
function lengthOf({ intervals }: SeriesSettings): RegisteredLength | undefined {
  const [first, ...changes] = intervals;
  return changes.length === 0 && first?.fromMs === -instantMsMax ? first.intervalMs : periodsOrNone(intervals);
}

function periodsOrNone(intervals: SeriesSettings['intervals']): RegisteredLength | undefined {
  return intervals.length === 0 ? undefined : intervals;
}

/** For all time: what was stated of a shorter one goes. */
function withPart(before: SettingsEntry, part: SeriesSettingsPart & { readonly sinceMs?: number }): SettingsEntry {
  return {
    ...before,
    ...part,
    ...('intervalMs' in part ? { intervalChanges: undefined } : {}),
    ...('tags' in part ? { tagChanges: undefined } : {}),
  };
}

function withFacts(before: SettingsEntry, facts: SeriesFacts, validity: Validity): SettingsEntry {
  let entry = before;
  if (facts.intervalMs !== undefined) {
    const { first, changes } = split(stated(intervalTimeline(before), facts.intervalMs, validity));
    entry = { ...entry, intervalMs: first, intervalChanges: changes };
  }
  for (const [name, value] of Object.entries(facts.tags ?? {})) {
    entry = withTag(entry, name, stated(tagTimeline(entry, name), value, validity));
  }
  return entry;
}

function withTag(entry: SettingsEntry, name: string, timeline: Timeline<TagValue>): SettingsEntry {
  const { first, changes } = split(timeline);
  return { ...entry, tags: withKey(entry.tags, name, first), tagChanges: withKey(entry.tagChanges, name, changes) };
}

/** What holds from the beginning stands by itself in an entry. */
function split<Value>(timeline: Timeline<Value>): { first: Value | undefined; changes: Timeline<Value> | undefined } {
  const [head, ...changes] = timeline;
  if (head?.[0] === -instantMsMax) {
    return { first: head[1] ?? undefined, changes: changes.length === 0 ? undefined : changes };
  }
  return { first: undefined, changes: timeline.length === 0 ? undefined : timeline };
}

function withKey<Value>(
  record: Readonly<Record<string, Value>> | undefined,
  name: string,
  value: Value | undefined,
): Record<string, Value> | undefined {
  const rest = Object.fromEntries(Object.entries(record ?? {}).filter(([each]) => each !== name));
  const all = value === undefined ? rest : { ...rest, [name]: value };
  return Object.keys(all).length === 0 ? undefined : all;
}

/** Remembers the zone that held until now where another holds from now on. */
function withFormerZone(before: SettingsEntry, after: SettingsEntry, inherited: string): SettingsEntry {
  const zone = before.timeZone ?? inherited;
  if (zone === (after.timeZone ?? inherited)) {
    return after;
  }
  return { ...after, formerTimeZones: [...new Set([...(before.formerTimeZones ?? []), zone])] };
}

function defaultEntry(tenant: string): string {
  return `${tenant}/series-default`;
}

function seriesEntry(tenant: string, { meter, channel }: SeriesName): string {
  return `${tenant}/${seriesPath(meter, channel)}`;
}
