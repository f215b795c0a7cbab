import type { Clock, Epochs } from '@meterflow/stage';

/** A subscription's epoch, read again when what is known is older than `epochCacheMs`. */
export class EpochReader {
  readonly #read: () => Promise<number>;
  readonly #clock: Clock;
  readonly #epochCacheMs: number;
  #known: { readonly epoch: Promise<number>; readonly atMs: number } | undefined;

  constructor(
    epochs: Epochs,
    options: { readonly subscription: string; readonly clock: Clock; readonly epochCacheMs: number },
  ) {
    this.#read = () => epochs.current(options.subscription);
    this.#clock = options.clock;
    this.#epochCacheMs = options.epochCacheMs;
  }

  /** Rejects with what the store rejects with, when what is known is too old. */
  current(): Promise<number> {
    const nowMs = this.#clock.nowMs();
    if (this.#known === undefined || nowMs - this.#known.atMs >= this.#epochCacheMs) {
      const known = { epoch: this.#read(), atMs: nowMs };
      this.#known = known;
      known.epoch.catch(() => {
        if (this.#known === known) {
          this.#known = undefined;
        }
      });
    }
    return this.#known.epoch;
  }
}
