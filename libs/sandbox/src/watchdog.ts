import type { SandboxLimits } from './limits.ts';
import type { SandboxChild } from './sandbox-child.ts';

/** How often a child that has work is looked at: memory can grow by a gigabyte in a tenth of a second. */
const lookEveryMs = 20;

/**
 * Kills a child that is stuck on one batch or grows too large. CPU time is what counts, since on a busy machine wall
 * time says nothing; wall time is the last resort, for a child that waits without computing.
 */
export class Watchdog {
  readonly #child: SandboxChild;
  readonly #limits: SandboxLimits;
  /** The batch that the child is on; undefined when it has none. */
  readonly #current: () => number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #job: number | undefined;
  #sinceMs = 0;
  #sinceCpuMs = 0;
  #overdue = false;

  constructor(child: SandboxChild, limits: SandboxLimits, current: () => number | undefined) {
    this.#child = child;
    this.#limits = limits;
    this.#current = current;
  }

  /** Looks from now on, or no more. */
  watch(busy: boolean): void {
    if (busy) {
      this.#timer ??= setInterval(() => {
        this.#look();
      }, lookEveryMs);
    } else {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#job = undefined;
    }
  }

  #look(): void {
    const job = this.#current();
    const nowMs = performance.now();
    const usage = this.#child.usage();
    if (usage !== undefined && usage.residentBytes > this.#limits.residentBytesMax) {
      this.#child.kill('out-of-memory');
      return;
    }
    if (job !== this.#job) {
      this.#job = job;
      this.#sinceMs = nowMs;
      this.#sinceCpuMs = usage?.cpuMs ?? 0;
      this.#overdue = false;
      return;
    }
    const cpuMs = (usage?.cpuMs ?? 0) - this.#sinceCpuMs;
    if (cpuMs > this.#limits.batchCpuMsMax) {
      this.#child.kill('timed-out');
    } else if (nowMs - this.#sinceMs > this.#limits.batchWallMsMax) {
      // Once more: the answer may lie there unread, when it was this process that was held up.
      if (this.#overdue) {
        this.#child.kill('timed-out');
      }
      this.#overdue = true;
    }
  }
}
