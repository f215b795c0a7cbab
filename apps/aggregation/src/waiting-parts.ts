import type { MessagePlan } from './message-plan.ts';

/** Parts that are not yet in a message, in an order in which those of one message are near each other. */
export class WaitingParts {
  readonly #parts: (MessagePlan | undefined)[];
  readonly #bySeries = new Map<string, number[]>();
  #first = 0;
  /** The series of the message in work, and the parts that share one with it and were not looked at yet. */
  readonly #series = new Set<string>();
  readonly #near = new Set<number>();

  constructor(parts: readonly MessagePlan[]) {
    this.#parts = [...parts];
    parts.forEach(({ windows }, index) => {
      for (const series of windows.seriesPaths()) {
        const known = this.#bySeries.get(series);
        if (known === undefined) {
          this.#bySeries.set(series, [index]);
        } else {
          known.push(index);
        }
      }
    });
  }

  /** Takes the first part of another message; undefined when none is left. */
  first(): MessagePlan | undefined {
    this.#series.clear();
    this.#near.clear();
    return this.#take(this.#frontIndex());
  }

  /** Takes another part of the message in work: one that shares a series with it, else the one in front. */
  next(fits: (part: MessagePlan) => boolean): MessagePlan | undefined {
    for (const near of this.#near) {
      this.#near.delete(near);
      const part = this.#parts[near];
      if (part !== undefined && fits(part)) {
        return this.#take(near);
      }
    }
    const index = this.#frontIndex();
    const front = this.#parts[index];
    return front !== undefined && fits(front) ? this.#take(index) : undefined;
  }

  #frontIndex(): number {
    while (this.#first < this.#parts.length && this.#parts[this.#first] === undefined) {
      this.#first += 1;
    }
    return this.#first;
  }

  #take(index: number): MessagePlan | undefined {
    const part = this.#parts[index];
    this.#parts[index] = undefined;
    for (const series of part?.windows.seriesPaths() ?? []) {
      if (!this.#series.has(series)) {
        this.#series.add(series);
        this.#bySeries.get(series)?.forEach((near) => this.#near.add(near));
      }
    }
    return part;
  }
}
