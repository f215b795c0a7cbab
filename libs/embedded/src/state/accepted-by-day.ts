import type { DatabaseSync } from 'node:sqlite';

const dayMs = 86_400_000;

/** How many readings of a tenant were accepted on each UTC day: what its quota is counted by. */
export class AcceptedByDay {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Called within the caller's transaction, once a closing. */
  add(tenant: string, { atMs, accepted }: { readonly atMs: number; readonly accepted: number }): void {
    this.#database
      .prepare(
        `insert into accepted_by_day values (?, ?, ?)
         on conflict (tenant, day) do update set accepted = accepted + excluded.accepted`,
      )
      .run(tenant, Math.floor(atMs / dayMs), accepted);
  }

  on(tenant: string, atMs: number): number {
    const row = this.#database
      .prepare('select accepted from accepted_by_day where tenant = ? and day = ?')
      .get(tenant, Math.floor(atMs / dayMs));
    return Number(row?.['accepted'] ?? 0);
  }
}
