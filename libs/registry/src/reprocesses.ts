import type { SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { entries } from './entries.ts';
import { ignoringConflict } from './ignoring-conflict.ts';
import { parseEntry } from './parse-entry.ts';
import { RevisionConflictError, type Registry, type RegistryEntry } from './registry.ts';

/**
 * `waiting` for its time or its turn, `telling` the stage which days to compute anew, `working` while the stage does,
 * `done`, or `cancelled`: what was told by then is computed.
 */
export const reprocessStates = ['waiting', 'telling', 'working', 'done', 'cancelled'] as const;
export type ReprocessState = (typeof reprocessStates)[number];

const count = z.number().int().min(0);
// Loose: what a newer build adds must survive being read here.
const reprocessSchema = z.looseObject({
  id: z.string(),
  tenant: z.string(),
  /** Readings in [fromMs, toMs). */
  fromMs: z.number(),
  toMs: z.number(),
  /** This one alone; all of the tenant when absent. */
  series: z.object({ meter: z.string(), channel: z.string() }).exactOptional(),
  state: z.enum(reprocessStates),
  who: z.string(),
  why: z.string(),
  createdAtMs: z.number(),
  /** It does not begin before. */
  notBeforeMs: z.number(),
  startedAtMs: z.number().exactOptional(),
  endedAtMs: z.number().exactOptional(),
  /** Series with raw readings, when it began; and those of which all is told. */
  seriesTotal: count,
  seriesDone: count,
  /** Days of series that were told, in so many notices. */
  days: count,
  notices: count,
  /** Up to here all is told: days of this series below `day`, and whatever comes before it. */
  cursor: z.object({ meter: z.string(), channel: z.string(), day: z.number().int() }).exactOptional(),
  /** Who drives it, and until when nobody else may. */
  owner: z.string(),
  leaseUntilMs: z.number(),
});
export type Reprocess = z.infer<typeof reprocessSchema>;

/** One that is not ended, with the revision that a change of it has to name. */
export interface OpenReprocess {
  readonly reprocess: Reprocess;
  readonly revision: number;
}

export interface ReprocessRequest {
  /** Unique for the tenant: the same once more is the same reprocess. */
  readonly id: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** This series alone; all of the tenant when not given. */
  readonly series?: SeriesName;
  readonly who: string;
  readonly why: string;
  readonly notBeforeMs: number;
}

/** Thrown when a tenant has no reprocess of that id that could still be cancelled. */
export class UnknownReprocessError extends Error {
  override readonly name = 'UnknownReprocessError';
}

const atMsMax = 9_999_999_999_999;

/** Spans of stored readings that are to be computed anew, and how far that is. Several processes may drive them. */
export class Reprocesses {
  readonly #registry: Registry;
  readonly #nowMs: () => number;

  constructor(ports: { readonly registry: Registry; readonly nowMs: () => number }) {
    this.#registry = ports.registry;
    this.#nowMs = ports.nowMs;
  }

  /** Asks for one, durably. */
  async add(tenant: string, request: ReprocessRequest): Promise<Reprocess> {
    const value: Reprocess = {
      ...request,
      ...{ tenant, state: 'waiting', createdAtMs: this.#nowMs() },
      ...{ seriesTotal: 0, seriesDone: 0, days: 0, notices: 0, owner: '', leaseUntilMs: 0 },
    };
    const name = openName(tenant, request.id);
    try {
      await this.#registry.put('reprocess', name, { value, expectedRevision: 0 });
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) {
        throw error;
      }
      const there = await this.#registry.get('reprocess', name);
      return there === undefined ? value : reprocessOf(there);
    }
    return value;
  }

  /** Those not ended, of all tenants. */
  async open(): Promise<readonly OpenReprocess[]> {
    const found: OpenReprocess[] = [];
    for await (const entry of entries(this.#registry, 'reprocess', openPrefix)) {
      found.push({ reprocess: reprocessOf(entry), revision: entry.revision });
    }
    return found.sort((a, b) => a.reprocess.createdAtMs - b.reprocess.createdAtMs);
  }

  /** Those not ended first, then the others; each newest first. */
  async list(tenant: string, limit: number): Promise<readonly Reprocess[]> {
    const open = await this.#registry.list('reprocess', { prefix: openName(tenant, ''), limit });
    const ended = await this.#registry.list('reprocess', { prefix: `${tenant}/`, limit });
    const newest = open.map(reprocessOf).sort((a, b) => b.createdAtMs - a.createdAtMs);
    const ids = new Set(newest.map(({ id }) => id));
    // One that is being ended stands in both for a moment.
    return [...newest, ...ended.map(reprocessOf).filter(({ id }) => !ids.has(id))].slice(0, limit);
  }

  /** Undefined for one that there never was. */
  async get(tenant: string, id: string): Promise<Reprocess | undefined> {
    const entry = await this.#registry.get('reprocess', openName(tenant, id));
    return entry === undefined
      ? (await this.list(tenant, endedLookedAt)).find((reprocess) => reprocess.id === id)
      : reprocessOf(entry);
  }

  /** Puts what has become of one; undefined where somebody else changed it since: look again. */
  async advance({ revision }: OpenReprocess, reprocess: Reprocess): Promise<OpenReprocess | undefined> {
    const name = openName(reprocess.tenant, reprocess.id);
    try {
      const next = await this.#registry.put('reprocess', name, { value: reprocess, expectedRevision: revision });
      return { reprocess, revision: next };
    } catch (error) {
      if (error instanceof RevisionConflictError) {
        return undefined;
      }
      throw error;
    }
  }

  /** Asks it to end: whoever drives it stops before the next notice. Throws {@link UnknownReprocessError}. */
  cancel(tenant: string, id: string): Promise<Reprocess> {
    return changeEntry(this.#registry, { kind: 'reprocess', name: openName(tenant, id) }, (entry) => {
      if (entry === undefined) {
        throw new UnknownReprocessError(`there is no reprocess ${id} that is not ended`);
      }
      return { ...reprocessOf(entry), state: 'cancelled' as const };
    });
  }

  /** Moves an ended one out of the way. Killed in between, it is to be called again. */
  async end({ reprocess, revision }: OpenReprocess): Promise<void> {
    const { tenant, id, createdAtMs } = reprocess;
    const name = `${tenant}/${String(atMsMax - createdAtMs).padStart(13, '0')}-${id}`;
    const value = { ...reprocess, endedAtMs: this.#nowMs() };
    await ignoringConflict(this.#registry.put('reprocess', name, { value, expectedRevision: 0 }));
    await ignoringConflict(this.#registry.remove('reprocess', openName(tenant, id), revision));
  }

  /** Up to which activation reprocesses were asked for. */
  async mark(tenant: string): Promise<number> {
    const entry = await this.#registry.get('reprocess', markName(tenant));
    return entry === undefined ? 0 : parseEntry(markSchema, entry).activation;
  }

  async raiseMark(tenant: string, activation: number): Promise<void> {
    await changeEntry(this.#registry, { kind: 'reprocess', name: markName(tenant) }, (entry) => {
      const before = entry === undefined ? 0 : parseEntry(markSchema, entry).activation;
      return { activation: Math.max(before, activation) };
    });
  }
}

const markSchema = z.looseObject({ activation: count });
const endedLookedAt = 100;
const openPrefix = '/open/';

function openName(tenant: string, id: string): string {
  return `${openPrefix}${tenant}/${id}`;
}

function markName(tenant: string): string {
  return `/mark/${tenant}`;
}

function reprocessOf(entry: RegistryEntry<unknown>): Reprocess {
  return parseEntry(reprocessSchema, entry);
}
