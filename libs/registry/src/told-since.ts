import type { SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { entries } from './entries.ts';
import { parseEntry } from './parse-entry.ts';
import type { Registry } from './registry.ts';
import { seriesOfPath, seriesPath } from './series-path.ts';

const schema = z.looseObject({ timeZone: z.string(), sinceMs: z.number() });

/** From where on the closed days of a series are told. */
export interface SeriesTold {
  readonly tenant: string;
  readonly series: SeriesName;
  /** Of its local days; what was told of those of another zone counts no more. */
  readonly timeZone: string;
  readonly sinceMs: number;
}

/** Entries that are read or written at the same time. */
const atOnceMax = 16;

/**
 * Since when every closed local day of a series has been told on `days.due`, be there readings of it or not: what comes
 * later and begins earlier has the days up to there told. An instant only falls, and may stay above what is true: then
 * days are told twice, which harms nothing.
 */
export class ToldSince {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** As it is now, uncached; undefined where nothing was ever told of the series in this zone. */
  async of({ tenant, series, timeZone }: Omit<SeriesTold, 'sinceMs'>): Promise<number | undefined> {
    const entry = await this.#registry.get('setting', entryName(tenant, series));
    const told = entry === undefined ? undefined : parseEntry(schema, entry);
    return told?.timeZone === timeZone ? told.sinceMs : undefined;
  }

  /** Lowers each to what is given, durably. Idempotent. */
  async lower(all: readonly SeriesTold[]): Promise<void> {
    for (let from = 0; from < all.length; from += atOnceMax) {
      await Promise.all(all.slice(from, from + atOnceMax).map((told) => this.#lower(told)));
    }
  }

  /** Forgets it for a tenant's series, or those of a meter, or one: their readings are gone, and may come anew. */
  async erase(tenant: string, series?: { readonly meter: string; readonly channel?: string }): Promise<void> {
    const prefix = prefixOf(tenant);
    for await (const { name, revision } of entries(this.#registry, 'setting', prefix)) {
      const { meter, channel } = seriesOfPath(name.slice(prefix.length));
      const isMeant = series === undefined || series.meter === meter;
      if (isMeant && (series?.channel === undefined || series.channel === channel)) {
        await this.#registry.remove('setting', name, revision);
      }
    }
  }

  async #lower({ tenant, series, timeZone, sinceMs }: SeriesTold): Promise<void> {
    await changeEntry(this.#registry, { kind: 'setting', name: entryName(tenant, series) }, (entry) => {
      const now = entry === undefined ? undefined : parseEntry(schema, entry);
      return { timeZone, sinceMs: now?.timeZone === timeZone ? Math.min(now.sinceMs, sinceMs) : sinceMs };
    });
  }
}

function prefixOf(tenant: string): string {
  return `${tenant}/told-since/`;
}

function entryName(tenant: string, { meter, channel }: SeriesName): string {
  return `${prefixOf(tenant)}${seriesPath(meter, channel)}`;
}
