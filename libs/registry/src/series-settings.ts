import { decimalsMax, isUnit, type SeriesName, type Unit } from '@meterflow/readings';
import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { entries } from './entries.ts';
import { IntervalLengths } from './interval-lengths.ts';
import { parseEntry } from './parse-entry.ts';
import type { Registry } from './registry.ts';
import { seriesPath } from './series-path.ts';

/** What must be known of a series beside its readings. */
export interface SeriesSettings {
  /** IANA name: whose local days and months are aggregated. */
  readonly timeZone: string;
  /** Zones that it may have been aggregated in before: what is stored of their days and months is to be withdrawn. */
  readonly formerTimeZones: readonly string[];
  /** The one registered length of its intervals; undefined: whatever its readings have. */
  readonly intervalMs: number | undefined;
  /** Undefined: the unit that its readings come in. */
  readonly unit: Unit | undefined;
  /** Decimals that a value changed by a rule is rounded to, half to even. */
  readonly decimals: number;
  /** Facts that rules may ask for, by name: `dials`, `multiplier`. Those of a series stand before the tenant's. */
  readonly tags: Readonly<Record<string, TagValue>>;
}

export type TagValue = string | number | boolean;

export const seriesDefaults: SeriesSettings = {
  timeZone: 'UTC',
  formerTimeZones: [],
  intervalMs: undefined,
  unit: undefined,
  decimals: 6,
  tags: {},
};

/** So old may the settings be that a day is aggregated with; whoever changes them recomputes no sooner. */
export const seriesSettingsMsMax = 5_000;

/** Tags of a series, and how long a text among them may be. */
const tagsMax = 50;
const tagCharsMax = 2_000;
const tagName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'not a name of a tag: letters, digits and _, a letter first');
const intervalMsMax = 366 * 24 * 60 * 60 * 1000;

export const seriesSettingsSchema = z.object({
  timeZone: z.string().refine(isTimeZone, 'not a time zone of the IANA database, like Europe/Berlin'),
  intervalMs: z.number().int().min(1).max(intervalMsMax),
  unit: z.string().refine(isUnit, 'not a unit'),
  decimals: z.number().int().min(0).max(decimalsMax),
  tags: z
    .record(tagName, z.union([z.string().max(tagCharsMax), z.number(), z.boolean()]))
    .refine((tags) => Object.keys(tags).length <= tagsMax, `more than ${tagsMax} tags`),
});
const partSchema = seriesSettingsSchema.partial();
/** So many zones may a series, or a tenant's default, have had: each costs a little whenever a day is aggregated. */
const formerTimeZonesMax = 16;
const entrySchema = partSchema.extend({ formerTimeZones: z.array(z.string()).max(formerTimeZonesMax).optional() });
type SettingsEntry = z.infer<typeof entrySchema>;
/** Settings that are set; the others come from the tenant's default, then from {@link seriesDefaults}. */
export type SeriesSettingsPart = z.infer<typeof partSchema>;

/** A tenant's settings at one moment: look-ups cost no I/O. */
export interface SettingsSnapshot {
  of(meter: string, channel: string): SeriesSettings;
  /** The interval lengths among them. */
  readonly lengths: IntervalLengths;
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
    const { registry } = this.#ports;
    const fallback = await this.#fallback(tenant);
    const entry = series === undefined ? undefined : await registry.get('series', seriesEntry(tenant, series));
    return entry === undefined ? fallback : merge(fallback, parseEntry(entrySchema, entry));
  }

  /** Sets what is given for one series; undefined takes a setting back. Throws ZodError naming each problem. */
  async set(tenant: string, series: SeriesName, part: SeriesSettingsPart): Promise<void> {
    const { timeZone } = await this.#fallback(tenant);
    await this.#change(tenant, { kind: 'series', name: seriesEntry(tenant, series), inherited: timeZone }, part);
  }

  /** Sets what is given for all series of the tenant that don't say otherwise. */
  async setDefault(tenant: string, part: SeriesSettingsPart): Promise<void> {
    const inherited = seriesDefaults.timeZone;
    await this.#change(tenant, { kind: 'setting', name: defaultEntry(tenant), inherited }, part);
  }

  /** The same for a tenant that is new: nothing of it was aggregated in another zone. */
  async beginDefault(tenant: string, part: SeriesSettingsPart): Promise<void> {
    const inherited = part.timeZone ?? seriesDefaults.timeZone;
    await this.#change(tenant, { kind: 'setting', name: defaultEntry(tenant), inherited }, part);
  }

  /** `inherited`: the zone that holds where the entry has none of its own. */
  async #change(
    tenant: string,
    target: { kind: 'series' | 'setting'; name: string; inherited: string },
    part: SeriesSettingsPart,
  ): Promise<void> {
    const checked = partSchema.parse(part);
    await changeEntry(this.#ports.registry, target, (entry) => {
      const before = entry === undefined ? {} : parseEntry(entrySchema, entry);
      return entrySchema.parse(withFormerZone(before, { ...before, ...checked }, target.inherited));
    });
    this.#snapshots.delete(tenant);
  }

  async #fallback(tenant: string): Promise<SeriesSettings> {
    const entry = await this.#ports.registry.get('setting', defaultEntry(tenant));
    return merge(seriesDefaults, entry === undefined ? {} : parseEntry(entrySchema, entry));
  }

  async #read(tenant: string): Promise<SettingsSnapshot> {
    const fallback = await this.#fallback(tenant);
    const own = new Map<string, SeriesSettings>();
    const ownLengths = new Map<string, number>();
    for await (const series of entries(this.#ports.registry, 'series', `${tenant}/`)) {
      const path = series.name.slice(tenant.length + 1);
      const settings = merge(fallback, parseEntry(entrySchema, series));
      own.set(path, settings);
      if (settings.intervalMs !== undefined) {
        ownLengths.set(path, settings.intervalMs);
      }
    }
    return {
      of: (meter, channel) => (own.size === 0 ? fallback : (own.get(seriesPath(meter, channel)) ?? fallback)),
      lengths: new IntervalLengths(fallback.intervalMs, ownLengths),
    };
  }
}

/** Remembers the zone that held until now where another holds from now on. */
function withFormerZone(before: SettingsEntry, after: SettingsEntry, inherited: string): SettingsEntry {
  const zone = before.timeZone ?? inherited;
  if (zone === (after.timeZone ?? inherited)) {
    return after;
  }
  return { ...after, formerTimeZones: [...new Set([...(before.formerTimeZones ?? []), zone])] };
}

function merge(settings: SeriesSettings, part: SettingsEntry): SeriesSettings {
  const timeZone = part.timeZone ?? settings.timeZone;
  const former = new Set([...settings.formerTimeZones, ...(part.formerTimeZones ?? [])]);
  former.delete(timeZone);
  return {
    timeZone,
    formerTimeZones: [...former],
    intervalMs: part.intervalMs ?? settings.intervalMs,
    unit: part.unit ?? settings.unit,
    decimals: part.decimals ?? settings.decimals,
    tags: part.tags === undefined ? settings.tags : { ...settings.tags, ...part.tags },
  };
}

function defaultEntry(tenant: string): string {
  return `${tenant}/series-default`;
}

function seriesEntry(tenant: string, { meter, channel }: SeriesName): string {
  return `${tenant}/${seriesPath(meter, channel)}`;
}

/** More than the database has: names differ in case, too. */
const knownZonesMax = 2_000;
/** Names that were found to be zones: asking the engine costs 50 µs, and every snapshot of settings asks. */
const knownZones = new Set<string>();

function isTimeZone(name: string): boolean {
  if (knownZones.has(name)) {
    return true;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return false;
  }
  if (knownZones.size < knownZonesMax) {
    knownZones.add(name);
  }
  return true;
}
