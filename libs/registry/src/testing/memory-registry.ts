import { RevisionConflictError, type Registry, type RegistryEntry, type RegistryKind } from '../registry.ts';

/** A registry in memory, for tests of what stands on the port. Passes the contract suite. */
export class MemoryRegistry implements Registry {
  readonly #entries = new Map<string, { readonly revision: number; readonly json: string | undefined }>();
  /** How often something was read. */
  reads = 0;

  get(kind: RegistryKind, name: string): Promise<RegistryEntry<unknown> | undefined> {
    this.reads += 1;
    return Promise.resolve(this.#entry(kind, name));
  }

  async put(
    kind: RegistryKind,
    name: string,
    change: { readonly value: unknown; readonly expectedRevision: number },
  ): Promise<number> {
    await Promise.resolve();
    return this.#replace(`${kind} ${name}`, change.expectedRevision, JSON.stringify(change.value));
  }

  async putAll(
    kind: RegistryKind,
    changes: readonly { readonly name: string; readonly value: unknown; readonly expectedRevision: number }[],
  ): Promise<readonly (number | undefined)[]> {
    const revisions: (number | undefined)[] = [];
    for (const { name, ...change } of changes) {
      revisions.push(await this.put(kind, name, change).catch(() => undefined));
    }
    return revisions;
  }

  list(
    kind: RegistryKind,
    page: { readonly prefix: string; readonly limit: number; readonly after?: string },
  ): Promise<readonly RegistryEntry<unknown>[]> {
    this.reads += 1;
    const names = [...this.#entries.keys()]
      .filter((path) => path.startsWith(`${kind} `))
      .map((path) => path.slice(kind.length + 1))
      .filter((name) => name.startsWith(page.prefix) && (page.after === undefined || compare(name, page.after) > 0));
    const found = names.sort(compare).flatMap((name) => this.#entry(kind, name) ?? []);
    return Promise.resolve(found.slice(0, page.limit));
  }

  async remove(kind: RegistryKind, name: string, expectedRevision: number): Promise<void> {
    await Promise.resolve();
    this.#replace(`${kind} ${name}`, expectedRevision, undefined);
  }

  #entry(kind: RegistryKind, name: string): RegistryEntry<unknown> | undefined {
    const entry = this.#entries.get(`${kind} ${name}`);
    return entry?.json === undefined
      ? undefined
      : { kind, name, revision: entry.revision, value: JSON.parse(entry.json) as unknown };
  }

  #replace(path: string, expectedRevision: number, json: string | undefined): number {
    const entry = this.#entries.get(path);
    const current = entry?.json === undefined ? 0 : entry.revision;
    if (current !== expectedRevision || (json === undefined && current === 0)) {
      throw new RevisionConflictError(`${path} has revision ${current}, not ${expectedRevision}`);
    }
    const revision = (entry?.revision ?? 0) + 1;
    this.#entries.set(path, { revision, json });
    return revision;
  }
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
