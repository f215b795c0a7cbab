import type { Clock } from './clock.ts';
import { FatalError } from './errors.ts';
import type { StageLimits } from './limits.ts';

/** Holds receiving back while a sink or the bus is down, twice as long after each failure in a row. */
export class Pause {
  readonly #clock: Clock;
  #untilMs = 0;
  #failures = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins or lengthens the pause, and returns its length. Throws what is fatal. */
  begin(error: Error, limits: Pick<StageLimits, 'backOffMs' | 'backOffMsMax'>): number {
    if (error instanceof FatalError) {
      throw error;
    }
    const backOffMs = Math.min(limits.backOffMsMax, limits.backOffMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    this.#untilMs = Math.max(this.#untilMs, this.#clock.nowMs() + backOffMs);
    return backOffMs;
  }

  /** Called when something went through again. */
  end(): void {
    this.#failures = 0;
    this.#untilMs = 0;
  }

  /** Resolves when the pause is over or the signal aborts. */
  async over(signal: AbortSignal): Promise<void> {
    for (let leftMs = this.#leftMs(); leftMs > 0 && !signal.aborted; leftMs = this.#leftMs()) {
      await this.#clock.sleep(leftMs, signal);
    }
  }

  #leftMs(): number {
    return this.#untilMs - this.#clock.nowMs();
  }
}
