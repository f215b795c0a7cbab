/** A run column that is built in place and used again. */
export class GrowingRuns {
  ends = new Uint32Array(8);
  values = new Uint32Array(8);
  length = 0;
  #last = -1;

  reset(): void {
    this.length = 0;
    this.#last = -1;
  }

  /** All readings up to `end`, from where the run before ended, hold `value`. */
  extend(value: number, end: number): void {
    if (value === this.#last) {
      this.ends[this.length - 1] = end;
      return;
    }
    if (this.length === this.ends.length) {
      this.#grow();
    }
    this.ends[this.length] = end;
    this.values[this.length] = value;
    this.length += 1;
    this.#last = value;
  }

  #grow(): void {
    const ends = new Uint32Array(this.ends.length * 4);
    const values = new Uint32Array(ends.length);
    ends.set(this.ends);
    values.set(this.values);
    this.ends = ends;
    this.values = values;
  }
}
