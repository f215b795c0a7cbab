/** So much is kept for frames to come; a longer frame has memory of its own. */
const memoryBytesMin = 128 * 1024;
const memoryBytesKeptMax = 1024 * 1024;
const memoriesKeptMax = 8;

/**
 * Memory that frames are written into, again and again: made for each of them, it would be cleared by the kernel and
 * collected by the engine, which takes longer than writing it.
 */
export class FrameMemory {
  readonly #free: ArrayBuffer[] = [];

  /** Of at least so many bytes; what stood in it stands there still. */
  take(bytes: number): ArrayBuffer {
    const known = this.#free.pop();
    if (known !== undefined && known.byteLength >= bytes) {
      return known;
    }
    let length = memoryBytesMin;
    while (length < bytes && length < memoryBytesKeptMax) {
      length *= 2;
    }
    return new ArrayBuffer(Math.max(length, bytes));
  }

  /** Nobody reads it any more. */
  give(memory: ArrayBuffer): void {
    if (memory.byteLength <= memoryBytesKeptMax && this.#free.length < memoriesKeptMax) {
      this.#free.push(memory);
    }
  }
}
