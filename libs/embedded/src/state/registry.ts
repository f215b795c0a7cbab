import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { RevisionConflictError, type Registry, type RegistryEntry, type RegistryKind } from '@meterflow/registry';
import { FatalError } from '@meterflow/stage';
import { openDatabase, storeError, transaction } from '../database.ts';
import { prepared } from '../prepared.ts';
import { attempt } from './attempt.ts';

// A removed entry stays as a row without value, so that its revisions count on.
const schema = `
  create table if not exists entries (
    kind text not null,
    name text not null,
    revision integer not null,
    value text,
    primary key (kind, name)
  ) without rowid;
`;
const get = 'select name, revision, value from entries where kind = ? and name = ? and value is not null';
const current = 'select revision, value from entries where kind = ? and name = ?';
const put = 'insert or replace into entries (kind, name, revision, value) values (?, ?, ?, ?)';
const formatVersion = 1;
/** Sorts after everything that a name has. */
const lastCharacter = '\u{10ffff}';

/** The registry in one SQLite file. Several processes may open it. */
export class EmbeddedRegistry implements Registry {
  readonly #file: string;
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#file = file;
    this.#database = openDatabase(file, { schema, formatVersion, durability: 'full' });
    try {
      // Small, and nothing works without it: damage is seen at the start, not by whom it first hits.
      checkWhole(this.#database, file);
    } catch (error) {
      this.#database.close();
      throw storeError(error, file);
    }
  }

  /** Lets go of the file. */
  disconnect(): void {
    this.#database.close();
  }

  get(kind: RegistryKind, name: string): Promise<RegistryEntry<unknown> | undefined> {
    return attempt(this.#file, () => {
      const row = prepared(this.#database, get).get(kind, name);
      return row === undefined ? undefined : entryOf(kind, row);
    });
  }

  put(
    kind: RegistryKind,
    name: string,
    change: { readonly value: unknown; readonly expectedRevision: number },
  ): Promise<number> {
    return this.#replace({ kind, name, expectedRevision: change.expectedRevision }, JSON.stringify(change.value));
  }

  putAll(
    kind: RegistryKind,
    changes: readonly { readonly name: string; readonly value: unknown; readonly expectedRevision: number }[],
  ): Promise<readonly (number | undefined)[]> {
    return attempt(this.#file, () =>
      transaction(this.#database, () =>
        changes.map(({ name, value, expectedRevision }) => {
          try {
            return this.#replaceNow({ kind, name, expectedRevision }, JSON.stringify(value));
          } catch (error) {
            if (error instanceof RevisionConflictError) {
              return undefined;
            }
            throw error;
          }
        }),
      ),
    );
  }

  list(
    kind: RegistryKind,
    page: { readonly prefix: string; readonly limit: number; readonly after?: string },
  ): Promise<readonly RegistryEntry<unknown>[]> {
    const { prefix, after, limit } = page;
    const isAfter = after !== undefined && Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0;
    // One lower bound: of two the engine seeks one of them and reads all up to the other, for each page anew.
    const bound = isAfter ? 'name > ?' : 'name >= ?';
    return attempt(this.#file, () =>
      prepared(
        this.#database,
        `select name, revision, value from entries
         where kind = ? and ${bound} and name < ? and value is not null
         order by name limit ?`,
      )
        .all(kind, isAfter ? after : prefix, prefix + lastCharacter, limit)
        .map((row) => entryOf(kind, row)),
    );
  }

  async remove(kind: RegistryKind, name: string, expectedRevision: number): Promise<void> {
    await this.#replace({ kind, name, expectedRevision }, null);
  }

  #replace(target: Target, value: string | null): Promise<number> {
    return attempt(this.#file, () => transaction(this.#database, () => this.#replaceNow(target, value)));
  }

  /** Within a transaction; what throws has changed nothing. */
  #replaceNow({ kind, name, expectedRevision }: Target, value: string | null): number {
    const row = prepared(this.#database, current).get(kind, name);
    const found = row?.['value'] == null ? 0 : Number(row['revision']);
    if (found !== expectedRevision || (value === null && found === 0)) {
      throw new RevisionConflictError(`${kind} ${name} has revision ${found}, not ${expectedRevision}`);
    }
    const revision = Number(row?.['revision'] ?? 0) + 1;
    prepared(this.#database, put).run(kind, name, revision, value);
    return revision;
  }
}

interface Target {
  readonly kind: RegistryKind;
  readonly name: string;
  readonly expectedRevision: number;
}

function checkWhole(database: DatabaseSync, file: string): void {
  const found = database.prepare('pragma quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') {
    throw new FatalError(
      `${file} is damaged (${String(found).replace(/\s+/g, ' ')}). Restore it from a backup; it was left as it is.`,
    );
  }
}

function entryOf(kind: RegistryKind, row: Record<string, SQLOutputValue>): RegistryEntry<unknown> {
  return {
    kind,
    name: String(row['name']),
    revision: Number(row['revision']),
    value: JSON.parse(String(row['value'])) as unknown,
  };
}
