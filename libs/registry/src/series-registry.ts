import type { SeriesName } from '@meterflow/readings';
import { ZodError } from 'zod';
import { CachedSeries, defaultEntry } from './cached-series.ts';
import { changeEntry } from './change-entry.ts';
import { ChangeLog } from './change-log.ts';
import { instantMsMax } from './instants.ts';
import type { IntervalLengths } from './interval-lengths.ts';
import { entries } from './entries.ts';
import { withFormer } from './former-entry.ts';
import { LengthScan } from './length-scan.ts';
import { parseEntry } from './parse-entry.ts';
import { registeredNames } from './registered-names.ts';
import {
  putsTogetherMax,
  RevisionConflictError,
  type Registry,
  type RegistryEntry,
  type RegistryKind,
} from './registry.ts';
import { seriesOfPath, seriesPath } from './series-path.ts';
import {
  intervalTimeline,
  mergeSettings,
  seriesDefaults,
  seriesFactsSchema,
  seriesSettingsPartSchema,
  settingsEntrySchema,
  type SeriesFacts,
  type SeriesSettings,
  type SeriesSettingsPart,
  type SettingsEntry,
} from './series-settings.ts';
import { withFacts, withPart } from './stated-entry.ts';
import type { Validity } from './timeline.ts';
import { touchedSpan } from './touched-span.ts';

/** The settings of some of a tenant's series at one moment: look-ups cost no I/O. */
export interface SettingsSnapshot {
  /** Throws for a series that the snapshot was not asked for. */
  of(meter: string, channel: string): SeriesSettings;
}

/** A registered series, and what is known of it. */
export interface SeriesEntry {
  readonly series: SeriesName;
  readonly settings: SeriesSettings;
  /** What it says of itself. */
  readonly own: SettingsEntry;
}

export interface SeriesRegistryPorts {
  readonly registry: Registry;
  readonly nowMs: () => number;
  /** How old a snapshot may be. */
  readonly cacheMs: number;
}

interface Target {
  readonly kind: 'series' | 'setting';
  readonly name: string;
  /** The zone that holds where the entry has none of its own. */
  readonly inherited: string;
}

/** One line of what is to be known of a series: settings for all time, and facts within a validity. */
export interface SeriesChange {
  readonly series: SeriesName;
  readonly part: SeriesSettingsPart;
  readonly facts: SeriesFacts;
  /** From the beginning unless told. */
  readonly validity: Validity;
  /** From when on readings are expected; at the first registration the validity's begin, or now, unless told. */
  readonly sinceMs?: number;
}

/** What is aggregated of it within [fromMs, toMs) is to be computed anew. */
export interface TouchedSeries {
  readonly series: SeriesName;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface AppliedChanges {
  /** Series that were written: those that said something else before. */
  readonly changed: number;
  readonly touched: readonly TouchedSeries[];
}

const attemptsMax = 20;

/** Tenants that something is remembered of. */
const tenantsCachedMax = 1_000;

export class SeriesRegistry {
  readonly #ports: SeriesRegistryPorts;
  readonly #log: ChangeLog;
  readonly #lengthLog: ChangeLog;
  readonly #series = new Map<string, CachedSeries>();
  readonly #lengths = new Map<string, LengthScan>();

  constructor(ports: SeriesRegistryPorts) {
    this.#ports = ports;
    this.#log = new ChangeLog(ports.registry, 'series-changes');
    this.#lengthLog = new ChangeLog(ports.registry, 'length-changes');
  }

  /** The settings of these series, no older than `cacheMs`. Memory and reads go by the series that are asked for. */
  async snapshotOf(tenant: string, series: readonly SeriesName[]): Promise<SettingsSnapshot> {
    const { registry, nowMs, cacheMs } = this.#ports;
    const cached = cachedBy(this.#series, tenant, () => new CachedSeries(tenant, { registry, log: this.#log }));
    const atMs = nowMs();
    await cached.check(atMs, cacheMs);
    const paths = series.map(({ meter, channel }) => seriesPath(meter, channel));
    const found = await cached.of(paths, atMs);
    // By plain names: each is asked for several times, and a path costs more than looking it up.
    const byName = new Map(series.map((each, index) => [nameOf(each), found.get(paths[index] as string)]));
    return {
      of: (meter, channel) => {
        const settings = byName.get(nameOf({ meter, channel }));
        if (settings === undefined) {
          throw new Error(`the settings of ${meter} ${channel} were not asked for`);
        }
        return settings;
      },
    };
  }

  /** Every registered series by meter and channel, in the order of their UTF-8 bytes. Memory does not go by how many there are. */
  names(tenant: string): AsyncGenerator<SeriesName> {
    return registeredNames(this.#ports.registry, tenant);
  }

  /** Every registered series with its settings as they are now, streaming, by path. */
  async *all(tenant: string): AsyncGenerator<SeriesEntry> {
    const fallback = await this.#fallback(tenant);
    for await (const entry of entries(this.#ports.registry, 'series', `${tenant}/`)) {
      yield this.#entryOf(tenant, fallback, entry);
    }
  }

  /** At most `limit` of them, those after `after`, the `next` of the page before. */
  async page(
    tenant: string,
    { limit, after }: { readonly limit: number; readonly after?: string | undefined },
  ): Promise<{ readonly series: readonly SeriesEntry[]; readonly next: string | undefined }> {
    const fallback = await this.#fallback(tenant);
    const prefix = `${tenant}/`;
    const from = after === undefined ? {} : { after: `${prefix}${after}` };
    const page = await this.#ports.registry.list('series', { prefix, limit, ...from });
    const next = page.length < limit ? undefined : page.at(-1)?.name.slice(prefix.length);
    return { series: page.map((entry) => this.#entryOf(tenant, fallback, entry)), next };
  }

  #entryOf(tenant: string, fallback: SeriesSettings, entry: RegistryEntry<unknown>): SeriesEntry {
    const own = parseEntry(settingsEntrySchema, entry);
    const series = seriesOfPath(entry.name.slice(tenant.length + 1));
    return { series, own, settings: mergeSettings(fallback, own, this.#ports.nowMs()) };
  }

  /** The registered lengths of all series, no older than `cacheMs` but while very many change at once. */
  lengths(tenant: string): Promise<IntervalLengths> {
    const { registry, nowMs, cacheMs } = this.#ports;
    const ports = { registry, nowMs, cacheMs, log: this.#lengthLog };
    return cachedBy(this.#lengths, tenant, () => new LengthScan(tenant, ports)).current();
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
    if (series !== undefined) {
      await this.#indexMembers(tenant, series, Object.keys(checked.groups ?? {}));
    }
    await this.#change(tenant, await this.#target(tenant, series), (before) => withFacts(before, checked, validity));
  }

  /**
   * Makes many changes, of a series in their order, and writes what differs from what is there: the same again writes
   * nothing. Resolves with what holds otherwise now, and when. Throws ZodError for a change that is none: nothing of
   * these is written then.
   */
  async apply(tenant: string, changes: readonly SeriesChange[]): Promise<AppliedChanges> {
    const fallback = await this.#fallback(tenant);
    const touched: TouchedSeries[] = [];
    let changed = 0;
    let open: ReadonlyMap<string, readonly SeriesChange[]> = byPath(changes);
    for (let attempt = 1; open.size > 0; attempt++) {
      if (attempt > attemptsMax) {
        throw new RevisionConflictError('others change the same series all the time: try again');
      }
      const left = open;
      const written = await again(attempt, () => this.#write(tenant, left, fallback));
      touched.push(...written.touched);
      changed += written.changed;
      open = new Map([...open].filter(([path]) => written.conflicts.has(path)));
    }
    return { changed, touched };
  }

  async #write(
    tenant: string,
    changes: ReadonlyMap<string, readonly SeriesChange[]>,
    fallback: SeriesSettings,
  ): Promise<AppliedChanges & { readonly conflicts: ReadonlySet<string> }> {
    const { registry, nowMs } = this.#ports;
    const atMs = nowMs();
    const found = await Promise.all([...changes.keys()].map((path) => registry.get('series', `${tenant}/${path}`)));
    const writes = [...changes].flatMap(([path, each], index) => {
      const entry = found[index];
      const before = entry === undefined ? undefined : parseEntry(settingsEntrySchema, entry);
      const fresh = { sinceMs: Math.min(atMs, ...each.map((change) => beginMs(change, atMs))) };
      const after = settingsEntrySchema.parse(
        withSinceSet(
          before,
          withFormer(before ?? {}, each.reduce(withChange, before ?? fresh), fallback.timeZone),
          atMs,
        ),
      );
      const isThere = before !== undefined && JSON.stringify(before) === JSON.stringify(after);
      return isThere ? [] : [{ path, before: before ?? {}, after, expectedRevision: entry?.revision ?? 0 }];
    });
    // 1. the index of members, 2. the series, 3. what changed.
    const members = writes.flatMap(({ path, after }) =>
      Object.keys(after.groups ?? {}).map((group) => ({
        name: memberEntry(tenant, group, path),
        value: {},
        expectedRevision: 0,
      })),
    );
    await putPages(registry, 'member', members);
    const revisions = await putPages(
      registry,
      'series',
      writes.map(({ path, after: value, expectedRevision }) => ({
        name: `${tenant}/${path}`,
        value,
        expectedRevision,
      })),
    );
    const done = writes.filter((_, index) => revisions[index] !== undefined);
    await this.#note(tenant, done);
    return {
      changed: done.length,
      touched: done.flatMap(({ path, before, after }) => {
        const span = touchedSpan(mergeSettings(fallback, before, atMs), mergeSettings(fallback, after, atMs));
        return span === undefined ? [] : [{ series: seriesOfPath(path), ...span }];
      }),
      conflicts: new Set(writes.flatMap(({ path }, index) => (revisions[index] === undefined ? [path] : []))),
    };
  }

  async #note(
    tenant: string,
    written: readonly { readonly path: string; readonly before: SettingsEntry; readonly after: SettingsEntry }[],
  ): Promise<void> {
    const ofLengths = written.filter(({ before, after }) =>
      [before, after].some((each) => intervalTimeline(each).length > 0),
    );
    const pathsOf = (all: readonly { readonly path: string }[]): string[] => all.map(({ path }) => path);
    await this.#tell(tenant, pathsOf(written), pathsOf(ofLengths));
  }

  /** Says of these that they may be others now: whoever changed them may have ended before it said so. Idempotent. */
  async tellAgain(tenant: string, series: readonly SeriesName[]): Promise<void> {
    const paths = [...new Set(series.map(({ meter, channel }) => seriesPath(meter, channel)))];
    await this.#tell(tenant, paths, paths);
  }

  async #tell(tenant: string, paths: readonly string[], ofLengths: readonly string[]): Promise<void> {
    await this.#log.note(tenant, paths);
    await this.#lengthLog.note(tenant, ofLengths);
    this.#series.get(tenant)?.forget();
    this.#lengths.get(tenant)?.forget();
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

  /** By group, before the series says that it is a member: what is named in vain is found out by whoever follows it. */
  async #indexMembers(tenant: string, { meter, channel }: SeriesName, groups: readonly string[]): Promise<void> {
    const { registry } = this.#ports;
    for (const group of groups) {
      const name = memberEntry(tenant, group, seriesPath(meter, channel));
      if ((await registry.get('member', name)) === undefined) {
        await changeEntry(registry, { kind: 'member', name }, () => ({}));
      }
    }
  }

  async #target(tenant: string, series: SeriesName | undefined): Promise<Target> {
    if (series === undefined) {
      return { kind: 'setting', name: defaultEntry(tenant), inherited: seriesDefaults.timeZone };
    }
    const { timeZone } = await this.#fallback(tenant);
    return { kind: 'series', name: seriesEntry(tenant, series), inherited: timeZone };
  }

  async #change(tenant: string, target: Target, decide: (before: SettingsEntry) => SettingsEntry): Promise<void> {
    const versions: SettingsEntry[] = [];
    await changeEntry(this.#ports.registry, target, (entry) => {
      const atMs = this.#ports.nowMs();
      const fresh = target.kind === 'series' ? { sinceMs: atMs } : {};
      const before = entry === undefined ? fresh : parseEntry(settingsEntrySchema, entry);
      const decided = withFormer(before, decide(before), target.inherited);
      const after = settingsEntrySchema.parse(withSinceSet(before, decided, atMs));
      versions.push(before, after);
      return after;
    });
    const path = target.name.slice(tenant.length + 1);
    // Also where nothing else was: whoever was interrupted in between says it once more.
    const paths = target.kind === 'series' ? [path] : [];
    const hasOwnLength = versions.some((each) => intervalTimeline(each).length > 0);
    await this.#tell(tenant, paths, hasOwnLength ? paths : []);
  }

  async #fallback(tenant: string): Promise<SeriesSettings> {
    const { registry, nowMs } = this.#ports;
    const entry = await registry.get('setting', defaultEntry(tenant));
    return entry === undefined
      ? seriesDefaults
      : mergeSettings(seriesDefaults, parseEntry(settingsEntrySchema, entry), nowMs());
  }
}

/** From the second attempt on some are written: what is refused then is refused for what another one wrote meanwhile. */
async function again<Result>(attempt: number, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    throw attempt > 1 && error instanceof ZodError
      ? new RevisionConflictError(`others change the same series: try again (${error.message})`, { cause: error })
      : error;
  }
}

function nameOf({ meter, channel }: SeriesName): string {
  return `${meter}\n${channel}`;
}

/** Notes when it was said that readings are expected from an instant on that has passed. */
function withSinceSet(before: SettingsEntry | undefined, after: SettingsEntry, atMs: number): SettingsEntry {
  const isNew = after.sinceMs !== undefined && after.sinceMs !== before?.sinceMs && after.sinceMs < atMs;
  return isNew ? { ...after, sinceSetMs: atMs } : after;
}

function cachedBy<Value>(cache: Map<string, Value>, tenant: string, make: () => Value): Value {
  const known = cache.get(tenant);
  if (known !== undefined) {
    return known;
  }
  const [oldest] = cache.keys();
  if (cache.size >= tenantsCachedMax && oldest !== undefined) {
    cache.delete(oldest);
  }
  const made = make();
  cache.set(tenant, made);
  return made;
}

function byPath(changes: readonly SeriesChange[]): Map<string, SeriesChange[]> {
  const found = new Map<string, SeriesChange[]>();
  for (const change of changes) {
    const path = seriesPath(change.series.meter, change.series.channel);
    const known = found.get(path);
    if (known === undefined) {
      found.set(path, [change]);
    } else {
      known.push(change);
    }
  }
  return found;
}

function beginMs({ sinceMs, validity }: SeriesChange, nowMs: number): number {
  return sinceMs ?? (validity.fromMs === -instantMsMax ? nowMs : validity.fromMs);
}

function withChange(entry: SettingsEntry, { part, facts, validity, sinceMs }: SeriesChange): SettingsEntry {
  const checked = seriesSettingsPartSchema.parse(part);
  const settings = { ...entry, ...checked, ...(sinceMs === undefined ? {} : { sinceMs }) };
  return withFacts(settings, seriesFactsSchema.parse(facts), validity);
}

async function putPages(
  registry: Registry,
  kind: RegistryKind,
  changes: Parameters<Registry['putAll']>[1],
): Promise<readonly (number | undefined)[]> {
  const revisions: (number | undefined)[] = [];
  for (let from = 0; from < changes.length; from += putsTogetherMax) {
    revisions.push(...(await registry.putAll(kind, changes.slice(from, from + putsTogetherMax))));
  }
  return revisions;
}

export function memberEntry(tenant: string, group: string, path: string): string {
  return `${tenant}/${encodeURIComponent(group)}/${path}`;
}

function seriesEntry(tenant: string, { meter, channel }: SeriesName): string {
  return `${tenant}/${seriesPath(meter, channel)}`;
}
