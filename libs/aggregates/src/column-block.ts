/** Small blocks share memory of so many bytes, … */
const sharedBytes = 64 * 1024;
/** … those of up to so many. */
const smallBytesMax = 4 * 1024;
let shared = new ArrayBuffer(0);
let sharedUsed = 0;

/**
 * Copies of the beginnings of columns, in one block of memory: a block of its own for each costs more than filling it.
 * To be asked for the widest first (float64, uint32, uint8), so that each is aligned. Small blocks lie in memory that they
 * share, which lives as long as any of them: for columns that are soon done with.
 */
export class ColumnBlock {
  readonly #buffer: ArrayBuffer;
  #used = 0;

  constructor(bytes: number) {
    if (bytes > smallBytesMax) {
      this.#buffer = new ArrayBuffer(bytes);
      return;
    }
    const alignedBytes = Math.ceil(bytes / 8) * 8;
    if (sharedUsed + alignedBytes > shared.byteLength) {
      shared = new ArrayBuffer(sharedBytes);
      sharedUsed = 0;
    }
    this.#buffer = shared;
    this.#used = sharedUsed;
    sharedUsed += alignedBytes;
  }

  floats(source: Float64Array, length: number): Float64Array {
    const column = new Float64Array(this.#buffer, this.#used, length);
    for (let index = 0; index < length; index++) {
      column[index] = source[index] as number;
    }
    this.#used += column.byteLength;
    return column;
  }

  integers(source: Uint32Array, length: number): Uint32Array {
    const column = new Uint32Array(this.#buffer, this.#used, length);
    for (let index = 0; index < length; index++) {
      column[index] = source[index] as number;
    }
    this.#used += column.byteLength;
    return column;
  }

  bytes(source: Uint8Array, length: number): Uint8Array {
    const column = new Uint8Array(this.#buffer, this.#used, length);
    for (let index = 0; index < length; index++) {
      column[index] = source[index] as number;
    }
    this.#used += column.byteLength;
    return column;
  }
}
