/** Readings that a subscription holds, oldest first, and when each was published. Whole readings, whole seconds. */
export class SubscriptionModel {
  /** Readings left of those published in each second, and the first second that has any left. */
  readonly #left: Float64Array;
  #oldest = 0;
  /** Readings that were not acked: those that wait, and those that a killed pod still holds. */
  backlog = 0;
  #waiting = 0;
  readonly #leased: { readonly untilSecond: number; readonly publishedSecond: number; readonly readings: number }[] =
    [];

  constructor(seconds: number) {
    this.#left = new Float64Array(seconds);
  }

  publish(second: number, readings: number): void {
    this.#add(second, readings);
    this.backlog += readings;
  }

  /** Settles up to so many of the oldest that wait; returns how many there were. */
  settle(readings: number): number {
    const settled = Math.min(readings, this.#waiting);
    this.backlog -= settled;
    this.#take(settled);
    return settled;
  }

  /** So many of the oldest are in the hands of a process that is gone: they are redelivered when their lease ends. */
  lease(readings: number, untilSecond: number): void {
    const publishedSecond = this.#oldest;
    const leased = Math.min(readings, this.#waiting);
    if (leased > 0) {
      this.#take(leased);
      this.#leased.push({ untilSecond, publishedSecond, readings: leased });
    }
  }

  redeliver(second: number): void {
    while (this.#leased[0] !== undefined && this.#leased[0].untilSecond <= second) {
      const { publishedSecond, readings } = this.#leased.shift() as { publishedSecond: number; readings: number };
      this.#add(publishedSecond, readings);
    }
  }

  /** Age of the oldest that was not acked. */
  ageSeconds(second: number): number {
    const oldestLeased = this.#leased.reduce((oldest, each) => Math.min(oldest, each.publishedSecond), second);
    return this.backlog > 0 ? second - Math.min(oldestLeased, this.#waiting > 0 ? this.#oldest : second) : 0;
  }

  #add(publishedSecond: number, readings: number): void {
    if (readings > 0) {
      this.#left[publishedSecond] = (this.#left[publishedSecond] as number) + readings;
      this.#oldest = this.#waiting > 0 ? Math.min(this.#oldest, publishedSecond) : publishedSecond;
      this.#waiting += readings;
    }
  }

  #take(readings: number): void {
    this.#waiting -= readings;
    for (let wanted = readings; wanted > 0;) {
      const left = this.#left[this.#oldest] as number;
      const taken = Math.min(left, wanted);
      this.#left[this.#oldest] = left - taken;
      wanted -= taken;
      if (left === taken) {
        this.#oldest += 1;
      }
    }
    this.#skipEmpty();
  }

  #skipEmpty(): void {
    while (this.#waiting > 0 && this.#left[this.#oldest] === 0) {
      this.#oldest += 1;
    }
  }
}
