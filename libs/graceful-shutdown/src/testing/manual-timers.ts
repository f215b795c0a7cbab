import type { Timers } from '../lifecycle.ts';

/** Time that passes only when it is told to. */
export class ManualTimers implements Timers {
  #nowMs = 0;
  readonly #waiting = new Set<{ readonly atMs: number; readonly call: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, call };
    this.#waiting.add(timer);
    return () => this.#waiting.delete(timer);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#waiting]) {
      if (timer.atMs <= this.#nowMs) {
        this.#waiting.delete(timer);
        timer.call();
      }
    }
  }
}
