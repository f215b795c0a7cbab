import type { ChangeLog } from './change-log.ts';
import { parseEntry } from './parse-entry.ts';
import type { Registry } from './registry.ts';
import {
  mergeSettings,
  seriesDefaults,
  settingsEntrySchema,
  type SeriesSettings,
  type SettingsEntry,
} from './series-settings.ts';

/** So many series of a tenant are remembered: those that readings come of. */
const seriesCachedMax = 100_000;
/** After this nothing is remembered any more, should a change ever have gone untold. */
const rememberedMsMax = 600_000;
/** Entries that are read at once. */
const readsAtOnceMax = 64;

interface Cached {
  readonly settings: SeriesSettings;
  /** Where something changes in time: what is merged anew when asked for, as now is another. */
  readonly changing: SettingsEntry | undefined;
}

/** What is remembered of one tenant's series. Memory and reads go by the series that are asked for, not by those there are. */
export class CachedSeries {
  readonly #registry: Registry;
  readonly #log: ChangeLog;
  readonly #tenant: string;
  #sinceMs = 0;
  #checkedMs = -Infinity;
  #revision = 0;
  #fallback: SeriesSettings = seriesDefaults;
  #fallbackRevision = -1;
  /** By path, those that were asked for last at the end. */
  #series = new Map<string, Cached>();

  constructor(tenant: string, ports: { readonly registry: Registry; readonly log: ChangeLog }) {
    this.#tenant = tenant;
    this.#registry = ports.registry;
    this.#log = ports.log;
  }

  get fallback(): SeriesSettings {
    return this.#fallback;
  }

  /** Lets go of what changed since; called before anything is read, so that what is read is no older. */
  async check(nowMs: number, cacheMs: number): Promise<void> {
    if (nowMs - this.#checkedMs <= cacheMs) {
      return;
    }
    if (nowMs - this.#sinceMs > rememberedMsMax) {
      this.#series = new Map();
      this.#sinceMs = nowMs;
    }
    const { revision, names } = await this.#log.since(this.#tenant, this.#revision);
    const entry = await this.#registry.get('setting', defaultEntry(this.#tenant));
    const fallbackRevision = entry?.revision ?? 0;
    if (names === undefined || fallbackRevision !== this.#fallbackRevision) {
      this.#series = new Map();
    } else if (revision !== this.#revision) {
      // A map of its own: what is being read now for another caller may be from before, and must not be put into this one.
      this.#series = new Map(this.#series);
      names.forEach((name) => this.#series.delete(name));
    }
    this.#fallback =
      entry === undefined
        ? seriesDefaults
        : mergeSettings(seriesDefaults, parseEntry(settingsEntrySchema, entry), nowMs);
    this.#fallbackRevision = fallbackRevision;
    this.#revision = revision;
    this.#checkedMs = nowMs;
  }

  /** Of each path what holds now; what is not remembered is read. */
  async of(paths: readonly string[], nowMs: number): Promise<ReadonlyMap<string, SeriesSettings>> {
    const found = new Map<string, SeriesSettings>();
    const missing: string[] = [];
    const known = this.#series;
    const fallback = this.#fallback;
    for (const path of new Set(paths)) {
      const cached = known.get(path);
      if (cached === undefined) {
        missing.push(path);
      } else {
        found.set(
          path,
          cached.changing === undefined ? cached.settings : mergeSettings(fallback, cached.changing, nowMs),
        );
      }
    }
    for (let from = 0; from < missing.length; from += readsAtOnceMax) {
      const together = missing.slice(from, from + readsAtOnceMax);
      const entries = await Promise.all(
        together.map((path) => this.#registry.get('series', `${this.#tenant}/${path}`)),
      );
      entries.forEach((entry, index) => {
        const path = together[index] as string;
        const cached =
          entry === undefined
            ? { settings: fallback, changing: undefined }
            : cachedOf(fallback, parseEntry(settingsEntrySchema, entry), nowMs);
        found.set(path, cached.settings);
        remember(known, path, cached);
      });
    }
    return found;
  }

  /** Forgets what this process itself has just changed. */
  forget(): void {
    this.#checkedMs = -Infinity;
  }
}

function cachedOf(fallback: SeriesSettings, entry: SettingsEntry, nowMs: number): Cached {
  const settings = mergeSettings(fallback, entry, nowMs);
  return { settings, changing: settings.intervals.length > 1 || settings.tagPeriods.length > 1 ? entry : undefined };
}

function remember(known: Map<string, Cached>, path: string, cached: Cached): void {
  const [oldest] = known.keys();
  if (known.size >= seriesCachedMax && oldest !== undefined) {
    known.delete(oldest);
  }
  known.set(path, cached);
}

export function defaultEntry(tenant: string): string {
  return `${tenant}/series-default`;
}
