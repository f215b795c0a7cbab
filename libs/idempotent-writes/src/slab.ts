const slabBytes = 64 * 1024;

/** Keeps small byte strings together: memory of its own for each costs more than what is in it. */
export class Slab {
  #bytes = new Uint8Array(0);
  #used = 0;

  /** A copy, which nobody writes to again. */
  keep(bytes: Uint8Array): Uint8Array {
    if (this.#used + bytes.length > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(slabBytes, bytes.length));
      this.#used = 0;
    }
    const kept = this.#bytes.subarray(this.#used, this.#used + bytes.length);
    kept.set(bytes);
    this.#used += bytes.length;
    return kept;
  }
}
