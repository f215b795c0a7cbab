import { Problem } from '@meterflow/http';

export interface WorkloadLimits {
  readonly requestsMax: number;
  /** Of one tenant: so that none takes all the room. */
  readonly requestsPerTenantMax: number;
  readonly inMemoryBytesMax: number;
}

const retryAfterSeconds = 1;

/** What is in work in this process: no more requests and no more of their bytes in memory than it can hold. */
export class Workload {
  readonly #limits: WorkloadLimits;
  readonly #running = new Set<Promise<unknown>>();
  readonly #runningOf = new Map<string, number>();
  #bytes = 0;

  constructor(limits: WorkloadLimits) {
    this.#limits = limits;
  }

  /** Runs the work of one request of a tenant. Throws Problem `overloaded` where there is too much already. */
  async run<Result>(tenant: string, work: () => Promise<Result>): Promise<Result> {
    const ofTenant = this.#runningOf.get(tenant) ?? 0;
    if (this.#running.size >= this.#limits.requestsMax) {
      throw new Problem('overloaded', `${this.#running.size} requests are in work`, { retryAfterSeconds });
    }
    if (ofTenant >= this.#limits.requestsPerTenantMax) {
      throw new Problem('overloaded', `${ofTenant} requests of this tenant are in work`, { retryAfterSeconds });
    }
    const running = work();
    this.#running.add(running);
    this.#runningOf.set(tenant, ofTenant + 1);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
      this.#ended(tenant);
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

  #ended(tenant: string): void {
    const left = (this.#runningOf.get(tenant) ?? 0) - 1;
    if (left > 0) {
      this.#runningOf.set(tenant, left);
    } else {
      this.#runningOf.delete(tenant);
    }
  }
}
