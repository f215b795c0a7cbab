import type { Leased } from './leased.ts';

export interface LeaseBudgetOptions {
  readonly ackDeadlineMs: number;
  readonly leasesMax: number;
  readonly leasedBytesMax: number;
  /** Half an ack deadline when absent. */
  readonly finishMs?: number;
}

/**
 * How many messages this process may lease: no more than it can finish in half an ack deadline, by how fast it settled
 * them of late, so that a backlog is shared by who can work on it and not taken by who came first.
 */
export class LeaseBudget {
  readonly #options: LeaseBudgetOptions;
  readonly #out = new Set<Leased>();
  #bytes = 0;
  /** How many were settled in how long; only time with something in work counts. */
  #settled = 0;
  #busyMs = 0;
  #busySinceMs = 0;

  constructor(options: LeaseBudgetOptions) {
    this.#options = options;
  }

  /** How many more may be asked for, of the `wanted`. Who never settled any is not held back: its stage asks for what it starts. */
  room(wanted: number, nowMs: number): number {
    this.#forgetLost(nowMs);
    this.#note(nowMs);
    const { leasesMax, leasedBytesMax, ackDeadlineMs, finishMs = ackDeadlineMs / 2 } = this.#options;
    if (this.#bytes >= leasedBytesMax) {
      return 0;
    }
    const paceMax = this.#settled === 0 ? leasesMax : Math.ceil((this.#settled / this.#busyMs) * finishMs);
    const bytesEach = this.#bytes / Math.max(1, this.#out.size);
    const bytesRoom = bytesEach === 0 ? leasesMax : Math.ceil((leasedBytesMax - this.#bytes) / bytesEach);
    return Math.max(0, Math.min(wanted, bytesRoom, Math.min(paceMax, leasesMax) - this.#out.size));
  }

  came(messages: readonly Leased[], nowMs: number): void {
    this.#note(nowMs);
    for (const message of messages) {
      this.#out.add(message);
      this.#bytes += message.payload.length;
    }
  }

  settled(messages: readonly Leased[], nowMs: number): void {
    this.#note(nowMs);
    this.#settled += messages.filter((message) => this.#remove(message)).length;
  }

  givenBack(messages: readonly Leased[], nowMs: number): void {
    this.#note(nowMs);
    for (const message of messages) {
      this.#remove(message);
    }
  }

  #note(nowMs: number): void {
    if (this.#out.size > 0) {
      this.#busyMs += Math.max(0, nowMs - this.#busySinceMs);
    }
    this.#busySinceMs = nowMs;
    if (this.#busyMs > this.#options.ackDeadlineMs) {
      // What was long ago counts less and less.
      this.#busyMs /= 2;
      this.#settled /= 2;
    }
  }

  /** A lease that ran out is another's by now. */
  #forgetLost(nowMs: number): void {
    for (const message of this.#out) {
      if (message.leasedUntilMs <= nowMs) {
        this.#remove(message);
      }
    }
  }

  #remove(message: Leased): boolean {
    const removed = this.#out.delete(message);
    if (removed) {
      this.#bytes -= message.payload.length;
    }
    return removed;
  }
}
