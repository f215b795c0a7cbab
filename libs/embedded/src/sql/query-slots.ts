import { SqlError } from './sql-error.ts';

/** Queries that run at once; they hold threads and memory until their rows are read. */
export const queriesAtOnceMax = 4;
/** Queries that wait for one of those to end; one more is refused. */
export const queriesWaitingMax = 16;

/** Places for queries, and a bounded line of those that wait for one, in their order. */
export class QuerySlots {
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  /** Resolves when there is a place. Rejects with SqlError `sql-busy` at once where too many wait, or as the signal aborts. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#taken < queriesAtOnceMax) {
      this.#taken += 1;
      return;
    }
    if (this.#waiting.size >= queriesWaitingMax) {
      throw new SqlError('sql-busy', `${this.#taken} queries run and ${this.#waiting.size} wait; try again later.`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const begin = (): void => {
      resolve(undefined);
    };
    const giveUp = (): void => {
      this.#waiting.delete(begin);
      reject(signal.reason as Error);
    };
    this.#waiting.add(begin);
    signal.addEventListener('abort', giveUp);
    await promise.finally(() => {
      signal.removeEventListener('abort', giveUp);
    });
  }

  /** Gives a place back: to the one that has waited longest. */
  free(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
