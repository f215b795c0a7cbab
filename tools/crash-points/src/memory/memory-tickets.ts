import type { RaisableTickets } from '@meterflow/idempotent-writes';

/** Counters in memory. */
export class MemoryTickets implements RaisableTickets {
  readonly #last = new Map<string, number>();

  take(tenant: string): Promise<number> {
    const ticket = (this.#last.get(tenant) ?? 0) + 1;
    this.#last.set(tenant, ticket);
    return Promise.resolve(ticket);
  }

  raise(tenant: string, ticket: number): Promise<void> {
    this.#last.set(tenant, Math.max(this.#last.get(tenant) ?? 0, ticket));
    return Promise.resolve();
  }
}
