import type { StageLimits } from './limits.ts';

/**
 * Room for the groups of a running stage. A group that only waits for keys which others hold needs none, so that it
 * stands before nobody; beyond `groupsHeldMax` such groups it keeps its slot, and receiving stops in the end.
 */
export class GroupSlots {
  readonly #limits: Pick<StageLimits, 'groupsInFlightMax' | 'groupsHeldMax'>;
  #working = 0;
  #held = 0;
  #left = Promise.withResolvers<undefined>();

  constructor(limits: Pick<StageLimits, 'groupsInFlightMax' | 'groupsHeldMax'>) {
    this.#limits = limits;
  }

  /** Resolves when there is a slot. */
  async free(): Promise<void> {
    while (this.#working >= this.#limits.groupsInFlightMax) {
      await this.#left.promise;
    }
  }

  /** A group at work, in a slot. */
  async during(work: () => Promise<void>): Promise<void> {
    this.#working += 1;
    await work().finally(() => {
      this.#leave();
    });
  }

  /**
   * Within `during`: a wait that needs no slot. The slot is taken again at once afterwards, if need be as one more than
   * there are: what waited longest is not kept waiting by what came later.
   */
  async outside(wait: () => Promise<void>): Promise<void> {
    if (this.#held >= this.#limits.groupsHeldMax) {
      await wait();
      return;
    }
    this.#held += 1;
    this.#leave();
    await wait().finally(() => {
      this.#held -= 1;
      this.#working += 1;
    });
  }

  #leave(): void {
    this.#working -= 1;
    this.#left.resolve(undefined);
    this.#left = Promise.withResolvers();
  }
}
