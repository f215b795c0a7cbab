import type { SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import { entries } from './entries.ts';
import { ignoringConflict } from './ignoring-conflict.ts';
import { parseEntry } from './parse-entry.ts';
import type { Registry } from './registry.ts';

const series = z.object({ meter: z.string(), channel: z.string() });
const scopeSchema = z.union([
  z.object({ of: z.literal('tenant') }),
  z.object({ of: z.literal('series'), series: z.array(series) }),
  /** All that counts, or counted, in it or in groups below it. */
  z.object({ of: z.literal('group'), name: z.string() }),
  /** All that has, or had, it. */
  z.object({ of: z.literal('calendar'), name: z.string() }),
]);
const dueSchema = z.looseObject({
  tenant: z.string(),
  id: z.string(),
  atMs: z.number(),
  scope: scopeSchema,
  /** Whose change rules that look at whole days are to see as well. */
  rulesFor: z.string().exactOptional(),
});

/** Whose aggregates hang on a change. */
export type RecomputeScope =
  | { readonly of: 'tenant' }
  | { readonly of: 'series'; readonly series: readonly SeriesName[] }
  | { readonly of: 'group' | 'calendar'; readonly name: string };

export interface DueRequest {
  readonly tenant: string;
  readonly scope: RecomputeScope;
  readonly rulesFor?: string;
}

/** What is to be computed anew, as it was noted before the change that makes it so. */
export interface DueRecompute extends DueRequest {
  readonly id: string;
  readonly atMs: number;
}

export interface DueRecomputesPorts {
  readonly registry: Registry;
  readonly nowMs: () => number;
  /** Unique: letters and digits. */
  readonly newId: () => string;
}

/** Whoever noted something so long ago has died: what it had to do takes minutes at the most. */
export const dueAbandonedMs = 600_000;

/**
 * What is to be computed anew because of changes that are being made. Noted before the change and taken away once it was
 * told, so that whoever ends in between leaves it to others; who does it twice does no harm.
 */
export class DueRecomputes {
  readonly #ports: DueRecomputesPorts;

  constructor(ports: DueRecomputesPorts) {
    this.#ports = ports;
  }

  /** Durable when it resolves. */
  async note(request: DueRequest): Promise<DueRecompute> {
    const { registry, nowMs, newId } = this.#ports;
    const due = { ...request, id: newId(), atMs: nowMs() };
    await registry.put('reprocess', entryName(due), { value: due, expectedRevision: 0 });
    return due;
  }

  /** Takes it away: it was told, or nothing was changed. Idempotent. */
  async done(due: Pick<DueRecompute, 'tenant' | 'id'>): Promise<void> {
    const entry = await this.#ports.registry.get('reprocess', entryName(due));
    if (entry !== undefined) {
      await ignoringConflict(this.#ports.registry.remove('reprocess', entry.name, entry.revision));
    }
  }

  /** Of all tenants: everything that is noted, or what nobody works at any more. */
  async list(which: 'all' | 'abandoned'): Promise<readonly DueRecompute[]> {
    const { registry, nowMs } = this.#ports;
    const toMs = which === 'all' ? Infinity : nowMs() - dueAbandonedMs;
    const found: DueRecompute[] = [];
    for await (const entry of entries(registry, 'reprocess', duePrefix)) {
      const due = parseEntry(dueSchema, entry);
      if (due.atMs <= toMs) {
        found.push(due);
      }
    }
    return found;
  }
}

const duePrefix = '/due/';

function entryName({ tenant, id }: Pick<DueRecompute, 'tenant' | 'id'>): string {
  return `${duePrefix}${tenant}/${id}`;
}
