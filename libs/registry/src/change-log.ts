import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { parseEntry } from './parse-entry.ts';
import { RevisionConflictError, type Registry } from './registry.ts';

/** So many names of what changed last are kept; who is further behind reads everything anew. */
export const changesKeptMax = 2_000;

const schema = z.looseObject({
  /** What changed, by the revision of the log that said so; null: too much to name. Ascending. */
  changes: z.array(z.tuple([z.number(), z.array(z.string()).nullable()])),
});

export interface ChangesSince {
  readonly revision: number;
  /** Undefined: anything may have changed. */
  readonly names: readonly string[] | undefined;
}

/**
 * Says which of a tenant's entries changed, so that caches of them stay valid without reading them again: one entry a
 * tenant, read by whoever caches, written after each change. Of a writer that ends in between, whoever does
 * what it left says so once more.
 */
export class ChangeLog {
  readonly #registry: Registry;
  readonly #what: string;

  constructor(registry: Registry, what: 'series-changes' | 'length-changes' | 'group-changes') {
    this.#registry = registry;
    this.#what = what;
  }

  /** Called once what changed is durable; so what is thrown is never a RevisionConflictError, which says that nothing was. */
  async note(tenant: string, names: readonly string[]): Promise<void> {
    if (names.length === 0) {
      return;
    }
    const told = names.length > changesKeptMax ? null : [...names];
    try {
      await changeEntry(this.#registry, { kind: 'setting', name: `${tenant}/${this.#what}` }, (entry) => {
        const { changes } = entry === undefined ? { changes: [] } : parseEntry(schema, entry);
        return { changes: newest([...changes, [(entry?.revision ?? 0) + 1, told]]) };
      });
    } catch (error) {
      throw error instanceof RevisionConflictError
        ? new Error(`others change ${this.#what} of ${tenant} all the time: it is made, and told later`, {
            cause: error,
          })
        : error;
    }
  }

  /** What changed after that revision; 0 for one who knows nothing yet. */
  async since(tenant: string, revision: number): Promise<ChangesSince> {
    const entry = await this.#registry.get('setting', `${tenant}/${this.#what}`);
    if (entry === undefined || entry.revision === revision) {
      return { revision: entry?.revision ?? 0, names: [] };
    }
    const { changes } = parseEntry(schema, entry);
    const missed = changes.filter(([at]) => at > revision);
    const isWhole = missed.length === entry.revision - revision && missed.every(([, names]) => names !== null);
    return { revision: entry.revision, names: isWhole ? missed.flatMap(([, names]) => names ?? []) : undefined };
  }
}

type Change = z.infer<typeof schema>['changes'][number];

function newest(changes: readonly Change[]): readonly Change[] {
  let names = 0;
  const first = changes.findLastIndex(([, each]) => {
    names += (each?.length ?? changesKeptMax) + 1;
    return names > changesKeptMax && names - (each?.length ?? changesKeptMax) - 1 > 0;
  });
  return changes.slice(first + 1);
}
