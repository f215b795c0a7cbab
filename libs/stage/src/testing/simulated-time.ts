import type { Clock } from '../clock.ts';

interface Timer {
  readonly atMs: number;
  readonly wake: () => void;
}

/**
 * Time that passes only when everybody waits: each turn of the event loop wakes the earliest sleeper. Tests of hours
 * take milliseconds, and always in the same order.
 */
export class SimulatedTime implements Clock {
  #nowMs: number;
  readonly #timers: Timer[] = [];
  #turning = false;

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), wake: resolve };
      this.#timers.push(timer);
      signal?.addEventListener('abort', () => {
        this.#remove(timer);
        resolve();
      });
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#turning) {
      return;
    }
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next !== undefined) {
        this.#remove(next);
        this.#nowMs = Math.max(this.#nowMs, next.atMs);
        next.wake();
        this.#turn();
      }
    });
  }

  #remove(timer: Timer): void {
    const index = this.#timers.indexOf(timer);
    if (index >= 0) {
      this.#timers.splice(index, 1);
    }
  }
}
