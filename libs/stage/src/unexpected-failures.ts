import type { StageLimits } from './limits.ts';

type UnexpectedLimits = Pick<StageLimits, 'unexpectedBackOffMs' | 'unexpectedBackOffMsMax' | 'unexpectedKeysMax'>;

/**
 * How often keys of a running stage failed for a reason of no known class. In memory: another process counts for itself,
 * and one that was restarted from nothing, which only means a few attempts more.
 */
export class UnexpectedFailures {
  readonly #limits: UnexpectedLimits;
  /** The key that failed last stands last. */
  readonly #failures = new Map<string, number>();

  constructor(limits: UnexpectedLimits) {
    this.#limits = limits;
  }

  /** Counts one more failure of the key, and returns how many there are. */
  add(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.delete(key);
    this.#failures.set(key, failures);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > this.#limits.unexpectedKeysMax && oldest !== undefined) {
      this.#failures.delete(oldest);
    }
    return failures;
  }

  /** Called when the key was settled. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How long a key that has failed so often is left alone. */
  delayMs(failures: number): number {
    const { unexpectedBackOffMs, unexpectedBackOffMsMax } = this.#limits;
    return Math.min(unexpectedBackOffMsMax, unexpectedBackOffMs * 2 ** (failures - 1));
  }
}
