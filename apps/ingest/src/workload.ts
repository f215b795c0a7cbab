import { Problem } from '@meterflow/http';

export interface WorkloadLimits {
  readonly requestsMax: number;
  readonly inMemoryBytesMax: number;
}

const retryAfterSeconds = 1;

/** What is in work in this process: no more requests and no more of their bytes in memory than it can hold. */
export class Workload {
  readonly #limits: WorkloadLimits;
  readonly #running = new Set<Promise<unknown>>();
  #bytes = 0;

  constructor(limits: WorkloadLimits) {
    this.#limits = limits;
  }

  /** Runs the work of one request. Throws Problem `overloaded` where there is too much already. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running.size >= this.#limits.requestsMax) {
      throw new Problem('overloaded', `${this.#running.size} requests are in work`, { retryAfterSeconds });
    }
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Resolves when what is in work now has ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** Throws Problem `overloaded` where memory has no room for them. */
  hold(bytes: number): void {
    if (this.#bytes + bytes > this.#limits.inMemoryBytesMax) {
      throw new Problem('overloaded', 'the bodies in work fill the memory that there is for them', {
        retryAfterSeconds,
      });
    }
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}
