import type { RaisableTickets } from '@meterflow/idempotent-writes';
import type { Table } from './client/table.ts';
import { hashedKey } from './rows/key-hash.ts';
import { tables } from './schema.ts';

const qualifier = Buffer.from('ticket');

/** A counter for each tenant: the one read-modify-write there is. A retried increment leaves a gap, which harms nobody. */
export class BigtableTickets implements RaisableTickets {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  take(tenant: string): Promise<number> {
    return this.#add(tenant, 1);
  }

  /** By an increment too, so that it meets others' as theirs meet each other: twice at once, it is raised further. */
  async raise(tenant: string, ticket: number): Promise<void> {
    const last = await this.take(tenant);
    if (last < ticket) {
      await this.#add(tenant, ticket - last);
    }
  }

  #add(tenant: string, by: number): Promise<number> {
    return this.#table.increment({ key: hashedKey(tenant), family: tables.counters.counts, qualifier, by });
  }
}
