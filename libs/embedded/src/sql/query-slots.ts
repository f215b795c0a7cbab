import { SqlError } from './sql-error.ts';

/** Queries that run at once, each of another tenant; they hold threads and memory until their rows are read. */
export const queriesAtOnceMax = 2;
/** Queries that wait for one of those to end; one more is refused. */
export const queriesWaitingMax = 16;
/** The same for one tenant, so that no tenant fills the line. */
export const queriesWaitingPerTenantMax = 8;

interface Waiting {
  readonly tenant: string;
  readonly begin: () => void;
}

/** Places for queries, one a tenant, and a bounded line of those that wait for one, in their order. */
export class QuerySlots {
  readonly #running = new Set<string>();
  readonly #waiting = new Set<Waiting>();

  /** Resolves when there is a place. Rejects with SqlError `sql-busy` at once where too many wait, or as the signal aborts. */
  async take(tenant: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#mayRun(tenant)) {
      this.#running.add(tenant);
      return;
    }
    const own = [...this.#waiting].filter((each) => each.tenant === tenant).length;
    if (this.#waiting.size >= queriesWaitingMax || own >= queriesWaitingPerTenantMax) {
      throw new SqlError('sql-busy', `${this.#waiting.size} queries wait, ${own} of them yours; try again later.`);
    }
    await this.#turn(tenant, signal);
  }

  /** Gives the tenant's place back: to the one that has waited longest of those that may run. */
  free(tenant: string): void {
    this.#running.delete(tenant);
    const next = [...this.#waiting].find((each) => this.#mayRun(each.tenant));
    if (next !== undefined) {
      this.#waiting.delete(next);
      this.#running.add(next.tenant);
      next.begin();
    }
  }

  #mayRun(tenant: string): boolean {
    return this.#running.size < queriesAtOnceMax && !this.#running.has(tenant);
  }

  async #turn(tenant: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const waiting = {
      tenant,
      begin: () => {
        resolve(undefined);
      },
    };
    const giveUp = (): void => {
      this.#waiting.delete(waiting);
      reject(signal.reason as Error);
    };
    this.#waiting.add(waiting);
    signal.addEventListener('abort', giveUp);
    await promise.finally(() => {
      signal.removeEventListener('abort', giveUp);
    });
  }
}
