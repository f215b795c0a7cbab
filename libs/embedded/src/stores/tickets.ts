import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RaisableTickets } from '@meterflow/idempotent-writes';
import { openDatabase, storeError, transaction } from '../database.ts';

const schema = `
create table tickets (
  tenant text primary key,
  last integer not null
) strict, without rowid;`;

/** Opens the counters; `file` is `dataDirectory(…).state('tickets')`. Several processes may have it open. */
export function openTickets({ file }: { readonly file: string }): EmbeddedTickets {
  return new EmbeddedTickets(file);
}

/** A counter for each tenant. A ticket is on the disk before it is given out: after a power cut none comes twice. */
export class EmbeddedTickets implements RaisableTickets {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #take: StatementSync;
  readonly #raise: StatementSync;

  constructor(file: string) {
    this.#file = file;
    this.#database = openDatabase(file, { schema, formatVersion: 1, durability: 'full' });
    this.#take = this.#database.prepare(
      'insert into tickets values (?, 1) on conflict do update set last = last + 1 returning last',
    );
    this.#raise = this.#database.prepare(
      'insert into tickets values (?, ?) on conflict do update set last = max(last, excluded.last)',
    );
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the file is written at once; errors reject
  async take(tenant: string): Promise<number> {
    return this.#written(() => Number(this.#take.get(tenant)?.['last']));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the file is written at once; errors reject
  async raise(tenant: string, ticket: number): Promise<void> {
    this.#written(() => this.#raise.run(tenant, ticket));
  }

  close(): void {
    this.#database.close();
  }

  #written<Result>(work: () => Result): Result {
    try {
      return transaction(this.#database, work);
    } catch (error) {
      throw storeError(error, this.#file);
    }
  }
}
