import type { SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import { entries } from './entries.ts';
import { ignoringConflict } from './ignoring-conflict.ts';
import { parseEntry } from './parse-entry.ts';
import { RevisionConflictError, type Registry } from './registry.ts';
import type { TouchedSeries } from './series-registry.ts';

const series = z.object({ meter: z.string(), channel: z.string() });
const scopeSchema = z.union([
  z.object({ of: z.literal('tenant') }),
  z.object({ of: z.literal('series'), series: z.array(series) }),
  /** All that counts, or counted, in it or in groups below it. */
  z.object({ of: z.literal('group'), name: z.string() }),
  /** All that has, or had, it. */
  z.object({ of: z.literal('calendar'), name: z.string() }),
  /** These days, whether or not anything is stored of them. */
  z.object({ of: z.literal('days'), days: z.array(z.object({ series, fromMs: z.number(), toMs: z.number() })) }),
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
  | { readonly of: 'group' | 'calendar'; readonly name: string }
  | { readonly of: 'days'; readonly days: readonly TouchedSeries[] };

export interface DueRequest {
  readonly tenant: string;
  readonly scope: RecomputeScope;
  readonly rulesFor?: string;
}

/** What is to be computed anew, as it was noted before the change that makes it so. */
export interface DueRecompute extends DueRequest {
  readonly id: string;
  /** When it was noted, or last said to be worked at. */
  readonly atMs: number;
}

type DuePlace = Pick<DueRecompute, 'tenant' | 'id' | 'scope'>;

/** One that others may have left, with the revision that {@link DueRecomputes.take} has to name. */
export interface LeftRecompute extends DueRecompute {
  readonly revision: number;
}

export interface DueRecomputesPorts {
  readonly registry: Registry;
  readonly nowMs: () => number;
  /** Unique: letters and digits. */
  readonly newId: () => string;
}

/** Whoever noted something so long ago, and said no more of it, is taken to have died. */
export const dueAbandonedMs = 600_000;
/** So young a note may be of one that has not made its change yet, also where it is about to end. */
export const dueFreshMs = 60_000;
/** Whoever works at one says so this often: sooner than it would look like one of a process before. */
export const dueRenewMs = dueFreshMs / 3;

/**
 * What is to be computed anew because of changes that are being made. Noted before the change and taken away once it was
 * told, so that whoever ends in between leaves it to others; who does it twice does no harm.
 */
export class DueRecomputes {
  readonly #ports: DueRecomputesPorts;

  constructor(ports: DueRecomputesPorts) {
    this.#ports = ports;
  }

  /** Durable when it resolves. One that is there under its id, of a try before that ended, stays as it is. */
  async note(request: DueRequest): Promise<DueRecompute> {
    const { registry, nowMs, newId } = this.#ports;
    const due = { ...request, id: newId(), atMs: nowMs() };
    const known = await registry.get('reprocess', entryName(due));
    if (known !== undefined) {
      return parseEntry(dueSchema, known);
    }
    await registry.put('reprocess', entryName(due), { value: due, expectedRevision: 0 });
    return due;
  }

  /** Takes it away: it was told, or nothing was changed. Idempotent. */
  async done(due: DuePlace): Promise<void> {
    const entry = await this.#ports.registry.get('reprocess', entryName(due));
    if (entry !== undefined) {
      await ignoringConflict(this.#ports.registry.remove('reprocess', entry.name, entry.revision));
    }
  }

  /** Of all tenants: everything that was noted, or last said to be worked at, up to then. */
  async list(upToMs = Infinity): Promise<readonly LeftRecompute[]> {
    const found: LeftRecompute[] = [];
    for (const prefix of [duePrefix, dueDaysPrefix]) {
      for await (const entry of entries(this.#ports.registry, 'reprocess', prefix)) {
        const due = parseEntry(dueSchema, entry);
        if (due.atMs <= upToMs) {
          found.push({ ...due, revision: entry.revision });
        }
      }
    }
    return found;
  }

  /** What nobody works at any more, as a process sees it that began at `startedMs`: that of processes before it sooner. */
  left(startedMs: number): Promise<readonly LeftRecompute[]> {
    const atMs = this.#ports.nowMs();
    return this.list(Math.max(Math.min(startedMs, atMs - dueFreshMs), atMs - dueAbandonedMs));
  }

  /** Takes it in hand, durably; false where another was faster, or it was done meanwhile. */
  async take({ revision, ...due }: LeftRecompute): Promise<boolean> {
    const value = { ...due, atMs: this.#ports.nowMs() };
    try {
      await this.#ports.registry.put('reprocess', entryName(due), { value, expectedRevision: revision });
      return true;
    } catch (error) {
      if (error instanceof RevisionConflictError) {
        return false;
      }
      throw error;
    }
  }

  /** Says that it is worked at still; nothing where it is gone. */
  async renew(due: DuePlace): Promise<void> {
    const entry = await this.#ports.registry.get('reprocess', entryName(due));
    if (entry !== undefined) {
      await this.take({ ...parseEntry(dueSchema, entry), revision: entry.revision });
    }
  }
}

const duePrefix = '/due/';
/** Of days, which the build before can not read: it would do none of the others where one of these stood among them. */
const dueDaysPrefix = '/due-days/';

function entryName({ tenant, id, scope }: DuePlace): string {
  return `${scope.of === 'days' ? dueDaysPrefix : duePrefix}${tenant}/${id}`;
}
