import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { parseEntry } from './parse-entry.ts';
import type { Registry } from './registry.ts';

/** How far the local days of a zone are closed, and how far that was told. */
export interface ClosedDays {
  /** Days that end at this instant or before are closed. */
  readonly closedThroughMs: number;
  /** Days that end at this instant or before were published on `days.due`. Never above `closedThroughMs`. */
  readonly publishedThroughMs: number;
  /** The same of `days.closed`. */
  readonly toldThroughMs: number;
}

/**
 * So many days back it is told that a day is closed where nobody could listen before, of a new zone or of a series that is
 * new: what lies further back is told when it changes. Without a bound, the first look after an import of years is a
 * quarter of all that the import costs.
 */
export const closedDaysToldMax = 62;

const schema = z.looseObject({
  closedThroughMs: z.number(),
  publishedThroughMs: z.number(),
  toldThroughMs: z.number().default(0),
});

/** The closed days of each tenant and zone. All instants only rise: two that raise them at once do no harm. */
export class ClosedDaysRegistry {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** As they are now, uncached; undefined where none was ever closed. */
  async of(tenant: string, timeZone: string): Promise<ClosedDays | undefined> {
    const entry = await this.#registry.get('setting', entryName(tenant, timeZone));
    return entry === undefined ? undefined : parseEntry(schema, entry);
  }

  /** Raises what is given, durably. What was never published counts as published through 0. */
  async raise(tenant: string, timeZone: string, to: Partial<ClosedDays>): Promise<ClosedDays> {
    const target = { kind: 'setting', name: entryName(tenant, timeZone) } as const;
    return changeEntry(this.#registry, target, (entry) => {
      const now = entry === undefined ? never : parseEntry(schema, entry);
      return {
        closedThroughMs: Math.max(now.closedThroughMs, to.closedThroughMs ?? 0),
        publishedThroughMs: Math.max(now.publishedThroughMs, to.publishedThroughMs ?? 0),
        toldThroughMs: Math.max(now.toldThroughMs, to.toldThroughMs ?? 0),
      };
    });
  }
}

const never: ClosedDays = { closedThroughMs: 0, publishedThroughMs: 0, toldThroughMs: 0 };

function entryName(tenant: string, timeZone: string): string {
  return `${tenant}/closed-days/${timeZone}`;
}
