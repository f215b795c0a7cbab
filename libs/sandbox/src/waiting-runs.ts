import type { SandboxLimits } from './limits.ts';
import type { RunJob } from './run-job.ts';

type WaitingLimits = Pick<SandboxLimits, 'waitingMax' | 'waitingPerTenantMax'>;

/**
 * Runs that wait for a child. Tenants take turns, a batch each, so that one who floods the sandbox keeps another waiting
 * for no more than a batch of every tenant that waits; the runs of one tenant keep their order.
 */
export class WaitingRuns {
  readonly #limits: WaitingLimits;
  /** The tenant whose turn is next stands first; who has none waiting is not there. */
  readonly #tenants = new Map<string, RunJob[]>();
  #size = 0;

  constructor(limits: WaitingLimits) {
    this.#limits = limits;
  }

  /** Why no more runs of the tenant are taken now; undefined where there is room. */
  refusal(tenant: string): string | undefined {
    const { waitingMax, waitingPerTenantMax } = this.#limits;
    if (this.#size >= waitingMax) {
      return `${waitingMax} batches wait already`;
    }
    const own = this.#tenants.get(tenant)?.length ?? 0;
    return own >= waitingPerTenantMax ? `${waitingPerTenantMax} batches of its tenant wait already` : undefined;
  }

  push(job: RunJob): void {
    this.#of(job).push(job);
    this.#size += 1;
  }

  /** Puts runs back that had begun, before the others of their tenants. */
  putBack(jobs: readonly RunJob[]): void {
    for (const job of jobs.toReversed()) {
      this.#of(job).unshift(job);
      this.#size += 1;
    }
  }

  shift(): RunJob | undefined {
    const [next] = this.#tenants;
    if (next === undefined) {
      return undefined;
    }
    const [tenant, jobs] = next;
    const job = jobs.shift();
    this.#size -= 1;
    this.#tenants.delete(tenant);
    if (jobs.length > 0) {
      this.#tenants.set(tenant, jobs);
    }
    return job;
  }

  /** Takes them all away. */
  clear(): readonly RunJob[] {
    const jobs = [...this.#tenants.values()].flat();
    this.#tenants.clear();
    this.#size = 0;
    return jobs;
  }

  #of({ batch: { tenant } }: RunJob): RunJob[] {
    const jobs = this.#tenants.get(tenant) ?? [];
    this.#tenants.set(tenant, jobs);
    return jobs;
  }
}
