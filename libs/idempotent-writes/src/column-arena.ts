/** Values of one block: 64 KB of float64. */
const blockValuesMax = 8_192;

/**
 * Cuts columns out of large blocks: a buffer of its own for each small column costs more than filling it. What was cut
 * is never handed out again; a block lives as long as any column of it, so this is for columns that are soon done with.
 */
export class ColumnArena {
  #floats = new Float64Array(0);
  #floatsUsed = 0;
  #integers = new Uint32Array(0);
  #integersUsed = 0;
  #bytes = new Uint8Array(0);
  #bytesUsed = 0;
  #zeros = new Uint32Array(0);
  #counting = new Uint32Array(0);

  /** A copy of the first `count` values. */
  floats(values: Float64Array, count: number): Float64Array {
    const column = this.#floatColumn(count);
    // A loop of its own: shared with columns of another type it would take several times as long.
    for (let index = 0; index < count; index++) {
      column[index] = values[index] as number;
    }
    return column;
  }

  /** The values at the first `count` of `places`. */
  floatsAt(values: Float64Array, places: Uint32Array, count: number): Float64Array {
    const column = this.#floatColumn(count);
    for (let index = 0; index < count; index++) {
      column[index] = values[places[index] as number] as number;
    }
    return column;
  }

  /** As {@link floatsAt}. */
  bytesAt(values: Uint8Array, places: Uint32Array, count: number): Uint8Array {
    if (this.#bytesUsed + count > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(count, blockValuesMax));
      this.#bytesUsed = 0;
    }
    const from = this.#bytesUsed;
    this.#bytesUsed += count;
    const column = this.#bytes.subarray(from, this.#bytesUsed);
    for (let index = 0; index < count; index++) {
      column[index] = values[places[index] as number] as number;
    }
    return column;
  }

  /** A copy of the first `count` values, which are whole and below 2^32. */
  integers(values: Float64Array | Uint32Array, count: number): Uint32Array {
    if (this.#integersUsed + count > this.#integers.length) {
      this.#integers = new Uint32Array(Math.max(count, blockValuesMax));
      this.#integersUsed = 0;
    }
    const from = this.#integersUsed;
    this.#integersUsed += count;
    const column = this.#integers.subarray(from, this.#integersUsed);
    for (let index = 0; index < count; index++) {
      column[index] = values[index] as number;
    }
    return column;
  }

  /** `count` zeros, shared by all who ask. */
  zeros(count: number): Uint32Array {
    if (count > this.#zeros.length) {
      this.#zeros = new Uint32Array(count * 2);
    }
    return this.#zeros.subarray(0, count);
  }

  /** 0, 1, 2, … below `count`, shared by all who ask. */
  counting(count: number): Uint32Array {
    if (count > this.#counting.length) {
      this.#counting = Uint32Array.from({ length: count * 2 }, (_, index) => index);
    }
    return this.#counting.subarray(0, count);
  }

  #floatColumn(count: number): Float64Array {
    if (this.#floatsUsed + count > this.#floats.length) {
      this.#floats = new Float64Array(Math.max(count, blockValuesMax));
      this.#floatsUsed = 0;
    }
    const from = this.#floatsUsed;
    this.#floatsUsed += count;
    return this.#floats.subarray(from, this.#floatsUsed);
  }
}
