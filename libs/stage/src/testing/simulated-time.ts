import type { Clock } from '../clock.ts';

interface Due {
  readonly atMs: number;
  action: (() => void | Promise<void>) | undefined;
}

const nothing = (): void => undefined;

/**
 * Time that passes only when everybody waits: each turn of the event loop does what is due next, and what was asked for
 * first comes first. Tests of hours take milliseconds, and always in the same order.
 */
export class SimulatedTime implements Clock {
  #nowMs: number;
  /** By time, latest first. */
  readonly #due: Due[] = [];
  #turning = false;

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepBy((...later) => this.after(...later), ms, signal);
  }

  /**
   * Does something after `ms`, in a turn of its own: all that the last action set going has come to rest before. Time
   * stands still until what it returns has resolved. Returns what forgets it.
   */
  after(ms: number, action: () => void | Promise<void>): () => void {
    const due: Due = { atMs: this.#nowMs + Math.max(0, ms), action };
    let place = this.#due.length;
    while (place > 0 && (this.#due[place - 1] as Due).atMs <= due.atMs) {
      place -= 1;
    }
    this.#due.splice(place, 0, due);
    this.#turn();
    return () => {
      due.action = undefined;
    };
  }

  /** Forgets all that is due. */
  stop(): void {
    this.#due.length = 0;
  }

  #turn(): void {
    if (!this.#turning) {
      this.#turning = true;
      setImmediate(() => void this.#next());
    }
  }

  async #next(): Promise<void> {
    let next = this.#due.pop();
    while (next !== undefined && next.action === undefined) {
      next = this.#due.pop();
    }
    if (next !== undefined) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      await (next.action ?? nothing)();
    }
    this.#turning = false;
    if (this.#due.length > 0) {
      this.#turn();
    }
  }
}

/** Does something after `ms`, and returns what forgets it. */
type After = (ms: number, action: () => void) => () => void;

/** Sleeps by what a timeline does later; resolves at once when the signal aborts. */
export function sleepBy(after: After, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const forget = after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    const abort = (): void => {
      forget();
      resolve();
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}
