export interface CircuitOptions {
  readonly nowMs: () => number;
  /** From 0 to below 1. Spreads the tries of many processes, so that what comes back is not run over. */
  readonly random: () => number;
  /** First wait after a failure; doubled each time up to the greatest. */
  readonly retryMs: number;
  readonly retryMsMax: number;
  /** Told when calls begin to be withheld, and when they go through again. */
  readonly onChange: (isOpen: boolean, cause?: unknown) => void;
}

/** Thrown at once, without a call, while what is called is taken to be down. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
}

/**
 * Lets calls through to what answers. After a failure it withholds them, but for one try now and then: whoever calls
 * waits for what is down once a try, not once a call. The first call that succeeds lets all through again.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  #failures = 0;
  #closedAgainAtMs = 0;
  #lastFailureAtMs = Number.NEGATIVE_INFINITY;
  #isTrying = false;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#failures > 0;
  }

  /** How long ago a call last failed. */
  get steadyMs(): number {
    return this.#options.nowMs() - this.#lastFailureAtMs;
  }

  /** Rejects with what `work` rejects with, or with {@link CircuitOpenError} when it was not tried. */
  async call<Result>(work: () => Promise<Result>): Promise<Result> {
    const isTry = this.isOpen;
    if (isTry && (this.#isTrying || this.#options.nowMs() < this.#closedAgainAtMs)) {
      throw new CircuitOpenError('not called: it is down, and tried again later');
    }
    this.#isTrying = isTry;
    try {
      const result = await work();
      this.#succeeded();
      return result;
    } catch (error) {
      this.#failed(error, isTry);
      throw error;
    } finally {
      if (isTry) {
        this.#isTrying = false;
      }
    }
  }

  #succeeded(): void {
    if (this.isOpen) {
      this.#failures = 0;
      this.#options.onChange(false);
    }
  }

  #failed(error: unknown, isTry: boolean): void {
    const { nowMs, random, retryMs, retryMsMax, onChange } = this.#options;
    this.#lastFailureAtMs = nowMs();
    // Calls that were under way together fail together: that is one failure.
    if (this.isOpen && !isTry) {
      return;
    }
    const waitMs = Math.min(retryMsMax, retryMs * 2 ** this.#failures) * (0.5 + random() / 2);
    this.#closedAgainAtMs = nowMs() + waitMs;
    this.#failures = Math.min(this.#failures + 1, 30);
    if (!isTry) {
      onChange(true, error);
    }
  }
}
