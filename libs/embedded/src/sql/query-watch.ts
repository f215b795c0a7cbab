import { SqlError } from './sql-error.ts';

export interface QueryPatience {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Ends a query that takes too long or is no longer wanted, whatever it is at, and says afterwards why it failed. */
export class QueryWatch {
  readonly #patience: QueryPatience;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #abort: () => void;
  #timedOut = false;

  constructor(patience: QueryPatience) {
    this.#patience = patience;
    this.#abort = () => {
      this.#stop.abort(new Error('the query is no longer wanted'));
    };
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.#abort();
    }, patience.timeoutMs);
    patience.signal?.addEventListener('abort', this.#abort);
    if (patience.signal?.aborted === true) {
      this.#abort();
    }
  }

  /** Aborts when the query is to end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** What the work resolves with; rejects as soon as the query is to end: the work then goes on for nobody. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    const { promise, reject } = Promise.withResolvers<never>();
    const stopped = (): void => {
      reject(this.signal.reason as Error);
    };
    this.signal.addEventListener('abort', stopped);
    try {
      const result = await Promise.race([work, promise]);
      this.signal.throwIfAborted();
      return result;
    } finally {
      this.signal.removeEventListener('abort', stopped);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#patience.signal?.removeEventListener('abort', this.#abort);
  }

  explained(error: unknown): Error {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#timedOut) {
      return new SqlError('sql-timeout', `The query took longer than ${this.#patience.timeoutMs} ms.`, {
        cause: error,
      });
    }
    if (message.startsWith('Out of Memory')) {
      return new SqlError('sql-too-large', `The query needs more memory than is allowed: ${message}`, { cause: error });
    }
    return new SqlError('sql-invalid', message, { cause: error });
  }
}
