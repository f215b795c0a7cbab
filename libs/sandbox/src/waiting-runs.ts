import { togetherCpuMs } from './day-pace.ts';
import type { SandboxLimits } from './limits.ts';
import type { RunJob } from './run-job.ts';

type WaitingLimits = Pick<SandboxLimits, 'waitingMax' | 'waitingPerTenantMax' | 'children'>;

/** CPU time that a tenant has for nothing at each of its turns. Who used more lets as many turns pass. */
const turnCpuMs = 1;
/** A tenant whose last batch took longer gets no batches sent ahead, and leaves a child to the others. */
const slowCpuMs = 10;

/** One tenant in the round: its runs, and what it owes the others. */
interface Turn {
  readonly jobs: RunJob[];
  debtMs: number;
  inFlight: number;
  slow: boolean;
}

/** Runs of one isolate that go one behind the other: changing to another isolate costs more than a day in it. */
interface Group {
  readonly tenant: string;
  readonly flowKey: string;
  /** CPU time that there is still room for. */
  leftMs: number;
}

/**
 * Runs that wait for a child. Tenants take turns, a batch each or as many short runs of one flow as are cheap together, and
 * pay with turns for the CPU time that their batches took: who floods the sandbox, or works long on each batch, gets the
 * share of one tenant while others wait. The runs of one tenant keep their order.
 */
export class WaitingRuns {
  readonly #limits: WaitingLimits;
  /** The tenant whose turn is next stands first; who has none waiting, none in flight and no debt is not there. */
  readonly #turns = new Map<string, Turn>();
  readonly #costMs: (job: RunJob) => number | undefined;
  #size = 0;
  #group: Group | undefined;

  /** `costMs`: the CPU time that a run will take; undefined where nobody knows, it then has a turn of its own. */
  constructor(limits: WaitingLimits, costMs: (job: RunJob) => number | undefined = () => undefined) {
    this.#limits = limits;
    this.#costMs = costMs;
  }

  /** Why no more runs of the tenant are taken now; undefined where there is room. */
  refusal(tenant: string): string | undefined {
    const { waitingMax, waitingPerTenantMax } = this.#limits;
    if (this.#size >= waitingMax) {
      return `${waitingMax} batches wait already`;
    }
    const own = this.#turns.get(tenant)?.jobs.length ?? 0;
    return own >= waitingPerTenantMax ? `${waitingPerTenantMax} batches of its tenant wait already` : undefined;
  }

  push(job: RunJob): void {
    this.#of(job.batch.tenant).jobs.push(job);
    this.#size += 1;
  }

  /** Puts runs back that had begun, before the others of their tenants. */
  putBack(jobs: readonly RunJob[]): void {
    for (const job of jobs.toReversed()) {
      this.#of(job.batch.tenant).jobs.unshift(job);
      this.#size += 1;
    }
  }

  /** The run whose turn it is; from then on it is in flight, until `finished` says otherwise. Undefined: none may go now. */
  shift(): RunJob | undefined {
    const more = this.#ofGroup();
    if (more !== undefined) {
      return more;
    }
    for (let passed = 0; this.#size > 0 && passed < this.#turns.size;) {
      const [[tenant, turn]] = this.#turns as unknown as [[string, Turn]];
      this.#turns.delete(tenant);
      const waits = turn.jobs.length > 0 && turn.inFlight < this.#inFlightMax(turn);
      turn.debtMs = Math.max(0, turn.debtMs - turnCpuMs);
      const job = waits && turn.debtMs === 0 ? turn.jobs.shift() : undefined;
      if (job !== undefined) {
        this.#size -= 1;
        turn.inFlight += 1;
        this.#group = { tenant, flowKey: job.flowKey, leftMs: togetherCpuMs - (this.#costMs(job) ?? Infinity) };
      }
      const kept = this.#keep(tenant, turn);
      if (job !== undefined) {
        return job;
      }
      // Ends after a whole round in which nobody could move on: nobody who waits paid, and nobody left.
      passed = waits || !kept ? 0 : passed + 1;
    }
    return undefined;
  }

  /** A run that `shift` gave has ended, one way or the other, after so much CPU time. */
  finished(tenant: string, cpuMs: number): void {
    const turn = this.#of(tenant);
    turn.inFlight = Math.max(0, turn.inFlight - 1);
    turn.debtMs += cpuMs;
    turn.slow = cpuMs > slowCpuMs;
    if (turn.jobs.length === 0) {
      this.#turns.delete(tenant);
      this.#keep(tenant, turn);
    }
  }

  /** Takes them all away. */
  clear(): readonly RunJob[] {
    const jobs = [...this.#turns.values()].flatMap((turn) => turn.jobs.splice(0));
    this.#size = 0;
    return jobs;
  }

  /** The next run of the tenant whose turn it is, where it goes with the ones before. */
  #ofGroup(): RunJob | undefined {
    const group = this.#group;
    const turn = group === undefined ? undefined : this.#turns.get(group.tenant);
    const next = turn?.jobs[0];
    if (group === undefined || turn === undefined || next?.flowKey !== group.flowKey) {
      return undefined;
    }
    const costMs = this.#costMs(next) ?? Infinity;
    if (costMs > group.leftMs || turn.inFlight >= this.#inFlightMax(turn)) {
      return undefined;
    }
    group.leftMs -= costMs;
    turn.jobs.shift();
    this.#size -= 1;
    turn.inFlight += 1;
    return next;
  }

  #inFlightMax({ slow }: Turn): number {
    return slow ? Math.max(1, this.#limits.children - 1) : Infinity;
  }

  /** Last in the round, or no more in it. */
  #keep(tenant: string, turn: Turn): boolean {
    const kept = turn.jobs.length > 0 || turn.inFlight > 0 || turn.debtMs > 0;
    if (kept) {
      this.#turns.set(tenant, turn);
    }
    return kept;
  }

  #of(tenant: string): Turn {
    const turn = this.#turns.get(tenant) ?? { jobs: [], debtMs: 0, inFlight: 0, slow: false };
    this.#turns.set(tenant, turn);
    return turn;
  }
}
