import { RevisionConflictError, type Registry, type RegistryEntry, type RegistryKind } from '@meterflow/registry';
import type { Table } from '../client/table.ts';
import { Documents, type StoredDocument } from '../rows/documents.ts';
import { tables } from '../schema.ts';

/** Above every byte that a name's UTF-8 has. */
const afterAll = Buffer.of(0xff);
const pageRows = 500;
const putsAtOnceMax = 50;

/** The registry in one table: rows by kind and name, so that a prefix is a range. A removed entry stays, without text. */
export class BigtableRegistry implements Registry {
  readonly #documents: Documents;

  constructor(table: Table) {
    this.#documents = new Documents(table, {
      family: tables.registry.entries,
      microsOf: (revision) => revision * 1_000,
    });
  }

  async get(kind: RegistryKind, name: string): Promise<RegistryEntry<unknown> | undefined> {
    return entryOf(kind, await this.#documents.read(keyOf(kind, name)));
  }

  put(
    kind: RegistryKind,
    name: string,
    change: { readonly value: unknown; readonly expectedRevision: number },
  ): Promise<number> {
    return this.#replace(kind, name, { ...change, text: JSON.stringify(change.value) });
  }

  async putAll(
    kind: RegistryKind,
    changes: readonly { readonly name: string; readonly value: unknown; readonly expectedRevision: number }[],
  ): Promise<readonly (number | undefined)[]> {
    const revisions: (number | undefined)[] = [];
    for (let from = 0; from < changes.length; from += putsAtOnceMax) {
      const together = changes.slice(from, from + putsAtOnceMax);
      const puts = together.map(({ name, ...change }) => this.put(kind, name, change).catch(conflictAsUndefined));
      revisions.push(...(await Promise.all(puts)));
    }
    return revisions;
  }

  async list(
    kind: RegistryKind,
    page: { readonly prefix: string; readonly limit: number; readonly after?: string },
  ): Promise<readonly RegistryEntry<unknown>[]> {
    const prefix = keyOf(kind, page.prefix);
    const after = page.after === undefined ? prefix : Buffer.concat([keyOf(kind, page.after), Buffer.of(0)]);
    const from = after.compare(prefix) > 0 ? after : prefix;
    const to = Buffer.concat([prefix, afterAll]);
    const found: RegistryEntry<unknown>[] = [];
    if (from.compare(to) >= 0) {
      return found;
    }
    for await (const row of this.#documents.table.scan({ from, to }, this.#documents.filter, pageRows)) {
      const entry = entryOf(kind, this.#documents.parse(row));
      if (entry !== undefined) {
        found.push(entry);
      }
      if (found.length >= page.limit) {
        break;
      }
    }
    return found;
  }

  async remove(kind: RegistryKind, name: string, expectedRevision: number): Promise<void> {
    await this.#replace(kind, name, { expectedRevision, text: undefined });
  }

  async #replace(
    kind: RegistryKind,
    name: string,
    { expectedRevision, text }: { readonly expectedRevision: number; readonly text: string | undefined },
  ): Promise<number> {
    const before = await this.#documents.read(keyOf(kind, name));
    const current = before.text === undefined ? 0 : before.revision;
    if (current !== expectedRevision || (text === undefined && current === 0)) {
      throw new RevisionConflictError(`${kind} ${name} has revision ${current}, not ${expectedRevision}`);
    }
    if (!(await this.#documents.replace(before, text))) {
      throw new RevisionConflictError(`${kind} ${name} was changed by another at the same time`);
    }
    return before.revision + 1;
  }
}

function conflictAsUndefined(error: unknown): undefined {
  if (!(error instanceof RevisionConflictError)) {
    throw error;
  }
}

function keyOf(kind: RegistryKind, name: string): Buffer {
  return Buffer.from(`${kind}\0${name}`);
}

function entryOf(kind: RegistryKind, { key, revision, text }: StoredDocument): RegistryEntry<unknown> | undefined {
  const name = key.toString('utf8', kind.length + 1);
  return text === undefined ? undefined : { kind, name, revision, value: JSON.parse(text) as unknown };
}
