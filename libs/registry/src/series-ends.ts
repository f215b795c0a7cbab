import type { SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { entries } from './entries.ts';
import { parseEntry } from './parse-entry.ts';
import type { Registry } from './registry.ts';
import { seriesOfPath, seriesPath } from './series-path.ts';

/** So many acceptances of a series are remembered with what stood before them; a delivery of an older one moves nothing. */
const acceptancesKeptMax = 16;
/** Entries that are read and written at the same time. */
const atOnceMax = 16;

const endSchema = z.object({
  endMs: z.number(),
  endOffsetMs: z.number(),
  lengthMs: z.number().optional(),
  integer: z.number(),
  decimals: z.number(),
  repeatsUntilMs: z.number().optional(),
});

const acceptanceSchema = z.object({
  id: z.string(),
  /** What the series had come to before it; absent where there was nothing. */
  before: endSchema.optional(),
  /** open: where the series stands after it is not known yet. refused: nothing of it was taken. */
  state: z.enum(['open', 'settled', 'refused']),
});
const entrySchema = z.object({ newest: endSchema.optional(), acceptances: z.array(acceptanceSchema) });

type Entry = z.infer<typeof entrySchema>;
type End = z.infer<typeof endSchema>;

/** A series at an end of what came of it; undefined where nothing has come. */
export interface SeriesAt {
  readonly name: SeriesName;
  readonly end: End | undefined;
}

/** Which acceptance asks, and whether it is its first delivery. */
export interface Asking {
  readonly tenant: string;
  readonly acceptance: string;
  readonly isFirst: boolean;
}

/**
 * Where series have come to, for sources whose lines say something only after those before them. What stood before an
 * acceptance is fixed durably before its first batch, so that each of its deliveries makes the same batches; where the
 * series stands after it counts for those that come later. Two sources of one series at the same time both go on from where
 * it stood when they came.
 */
export class SeriesEnds {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Fixes what stands before an acceptance; resolves with it, in the order of the names, once it is durable. */
  async fix(asking: Asking, names: readonly SeriesName[]): Promise<readonly SeriesAt[]> {
    return inGroups(names, async (name) => {
      const entry = await this.#change(asking.tenant, name, (before) => fixed(before, asking));
      return { name, end: entry.acceptances.find(({ id }) => id === asking.acceptance)?.before };
    });
  }

  /** Where the series stand after an acceptance all of whose batches are out; of one that was settled before, nothing changes. */
  async settle({ tenant, acceptance }: Asking, series: readonly SeriesAt[]): Promise<void> {
    await inGroups(series, ({ name, end }) =>
      this.#change(tenant, name, (entry) => {
        const isOpen = entry.acceptances.some(({ id, state }) => id === acceptance && state === 'open');
        return isOpen ? { newest: end ?? entry.newest, acceptances: withState(entry, acceptance, 'settled') } : entry;
      }),
    );
  }

  /** Nothing of the acceptance was taken: when it comes once more, it goes on from where the series stands then. */
  async refuse({ tenant, acceptance }: Asking, names: readonly SeriesName[]): Promise<void> {
    await inGroups(names, (name) =>
      this.#change(tenant, name, (entry) => ({ ...entry, acceptances: withState(entry, acceptance, 'refused') })),
    );
  }

  /** Forgets for good where a tenant's series stand, or those of a meter, or one. Sources under way put theirs again. */
  async erase(tenant: string, series?: { readonly meter: string; readonly channel?: string }): Promise<void> {
    const prefix = seriesEndsPrefix(tenant);
    for await (const { name, revision } of entries(this.#registry, 'setting', prefix)) {
      const { meter, channel } = seriesOfPath(name.slice(prefix.length));
      const isMeant = series === undefined || series.meter === meter;
      if (isMeant && (series?.channel === undefined || series.channel === channel)) {
        await this.#registry.remove('setting', name, revision);
      }
    }
  }

  async #change(tenant: string, name: SeriesName, change: (entry: Entry) => Entry): Promise<Entry> {
    const target = {
      kind: 'setting',
      name: `${seriesEndsPrefix(tenant)}${seriesPath(name.meter, name.channel)}`,
    } as const;
    return changeEntry(this.#registry, target, (entry) =>
      change(entry === undefined ? { acceptances: [] } : parseEntry(entrySchema, entry)),
    );
  }
}

/** Where the entries of a tenant stand in the kind `setting`, each under its {@link seriesPath}. */
export function seriesEndsPrefix(tenant: string): string {
  return `${tenant}/series-ends/`;
}

function fixed(entry: Entry, { acceptance, isFirst }: Asking): Entry {
  const known = entry.acceptances.find(({ id }) => id === acceptance);
  if (known !== undefined && known.state !== 'refused') {
    return entry;
  }
  const others = entry.acceptances.filter(({ id }) => id !== acceptance);
  // One that is delivered again and was forgotten came long ago: what stands now is not to go back to where it ended.
  const state = isFirst || known !== undefined ? 'open' : 'settled';
  const added = { id: acceptance, state, ...(entry.newest === undefined ? {} : { before: entry.newest }) } as const;
  return { ...entry, acceptances: [...others, added].slice(-acceptancesKeptMax) };
}

function withState({ acceptances }: Entry, acceptance: string, state: 'settled' | 'refused'): Entry['acceptances'] {
  return acceptances.map((each) => (each.id === acceptance && each.state === 'open' ? { ...each, state } : each));
}

async function inGroups<From, To>(all: readonly From[], each: (from: From) => Promise<To>): Promise<readonly To[]> {
  const done: To[] = [];
  for (let index = 0; index < all.length; index += atOnceMax) {
    done.push(...(await Promise.all(all.slice(index, index + atOnceMax).map(each))));
  }
  return done;
}
