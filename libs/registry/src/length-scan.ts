import { defaultEntry } from './cached-series.ts';
import type { ChangeLog } from './change-log.ts';
import { entries } from './entries.ts';
import { instantMsMax } from './instants.ts';
import { IntervalLengths } from './interval-lengths.ts';
import type { RegisteredLength } from './length-page.ts';
import { LengthPagesBuilder, noLengthPages } from './length-pages.ts';
import { parseEntry } from './parse-entry.ts';
import type { Registry, RegistryEntry } from './registry.ts';
import { mergeSettings, seriesDefaults, settingsEntrySchema, type SeriesSettings } from './series-settings.ts';

/** A scan of all series is not made again before so many times what it took have passed, however much changes. */
const restsPerScan = 10;

export interface LengthScanPorts {
  readonly registry: Registry;
  /** Of series whose own length changed. */
  readonly log: ChangeLog;
  readonly nowMs: () => number;
  readonly cacheMs: number;
}

/**
 * The lengths of a tenant's series as a whole, for whoever meets series before it could ask for them. Series that have
 * the tenant's default cost nothing to keep; all are read once, and after that those that changed.
 */
export class LengthScan {
  readonly #ports: LengthScanPorts;
  readonly #tenant: string;
  #checkedMs = -Infinity;
  #scannedMs = -Infinity;
  #scanMs = 0;
  #revision = 0;
  #fallback: SeriesSettings = seriesDefaults;
  #fallbackRevision = -1;
  #own = noLengthPages;
  #lengths: IntervalLengths | undefined;
  #reading: Promise<IntervalLengths> | undefined;

  constructor(tenant: string, ports: LengthScanPorts) {
    this.#tenant = tenant;
    this.#ports = ports;
  }

  /** As they are now, no older than `cacheMs`; longer only while very many change at once. */
  current(): Promise<IntervalLengths> {
    const { nowMs, cacheMs } = this.#ports;
    if (this.#lengths !== undefined && nowMs() - this.#checkedMs <= cacheMs) {
      return Promise.resolve(this.#lengths);
    }
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Has the next look read. */
  forget(): void {
    this.#checkedMs = -Infinity;
  }

  async #read(): Promise<IntervalLengths> {
    const { registry, log, nowMs } = this.#ports;
    const atMs = nowMs();
    const { revision, names } = await log.since(this.#tenant, this.#revision);
    const entry = await registry.get('setting', defaultEntry(this.#tenant));
    const isOther = (entry?.revision ?? 0) !== this.#fallbackRevision;
    if (isOther || names === undefined || this.#lengths === undefined) {
      if (!isOther && this.#lengths !== undefined && atMs - this.#scannedMs < this.#scanMs * restsPerScan) {
        return this.#lengths;
      }
      this.#fallBackOn(entry, atMs);
      await this.#scan(atMs);
    } else {
      await this.#reread(names, atMs);
    }
    this.#revision = revision;
    this.#checkedMs = atMs;
    return (this.#lengths ??= new IntervalLengths(lengthOf(this.#fallback), this.#own));
  }

  /** What holds for series that say nothing of themselves. */
  #fallBackOn(entry: RegistryEntry<unknown> | undefined, atMs: number): void {
    this.#fallback =
      entry === undefined
        ? seriesDefaults
        : mergeSettings(seriesDefaults, parseEntry(settingsEntrySchema, entry), atMs);
    this.#fallbackRevision = entry?.revision ?? 0;
  }

  async #scan(atMs: number): Promise<void> {
    const builder = new LengthPagesBuilder();
    for await (const entry of entries(this.#ports.registry, 'series', `${this.#tenant}/`)) {
      const length = this.#ownLength(entry, atMs);
      if (length !== undefined) {
        builder.add(entry.name.slice(this.#tenant.length + 1), length);
      }
    }
    this.#own = await builder.build();
    this.#lengths = undefined;
    this.#scannedMs = atMs;
    this.#scanMs = this.#ports.nowMs() - atMs;
  }

  async #reread(paths: readonly string[], atMs: number): Promise<void> {
    const changed = new Map<string, RegisteredLength | undefined>();
    for (const path of paths) {
      const entry = await this.#ports.registry.get('series', `${this.#tenant}/${path}`);
      changed.set(path, entry === undefined ? undefined : this.#ownLength(entry, atMs));
    }
    if (changed.size > 0) {
      this.#own = this.#own.with(changed);
      this.#lengths = undefined;
    }
    if (this.#own.isCrowded) {
      await this.#scan(atMs);
    }
  }

  /** Undefined where what holds for all is right for it. */
  #ownLength(entry: RegistryEntry<unknown>, atMs: number): RegisteredLength | undefined {
    const { value } = entry;
    // Most say nothing of their length: they cost no more than this.
    if (typeof value === 'object' && value !== null && !('intervalMs' in value) && !('intervalChanges' in value)) {
      return undefined;
    }
    const length = lengthOf(mergeSettings(this.#fallback, parseEntry(settingsEntrySchema, entry), atMs));
    return length === lengthOf(this.#fallback) ? undefined : length;
  }
}

/** One length where it never changes: what costs nothing to look at. */
function lengthOf({ intervals }: SeriesSettings): RegisteredLength | undefined {
  const [first, ...changes] = intervals;
  if (first === undefined) {
    return undefined;
  }
  return changes.length === 0 && first.fromMs === -instantMsMax ? first.intervalMs : intervals;
}
