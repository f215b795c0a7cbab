import { FrameReader, headerBytes } from './frame.ts';

/** Cuts what `read` gives into frames. Blocks; a frame is valid until the next one is asked for. */
export class FrameInput {
  readonly #read: (into: Uint8Array) => number;
  readonly #frameBytesMax: number;
  #memory = new ArrayBuffer(1024 * 1024);
  #from = 0;
  #to = 0;

  constructor(read: (into: Uint8Array) => number, frameBytesMax: number) {
    this.#read = read;
    this.#frameBytesMax = frameBytesMax;
  }

  /** Undefined at the end, also when it comes within a frame. Throws RangeError for a frame that is too long. */
  next(): FrameReader | undefined {
    if (!this.#fill(headerBytes)) {
      return undefined;
    }
    const bytes = new Uint32Array(this.#memory, this.#from, 1)[0] as number;
    if (bytes < headerBytes || bytes > this.#frameBytesMax || bytes % 8 !== 0) {
      throw new RangeError(`a frame can't have ${bytes} bytes`);
    }
    if (!this.#fill(bytes)) {
      return undefined;
    }
    const frame = new FrameReader(this.#memory, this.#from);
    this.#from += bytes;
    return frame;
  }

  /** Reads until `bytes` are there. Frames are multiples of eight, so each begins aligned. */
  #fill(bytes: number): boolean {
    if (this.#to - this.#from >= bytes) {
      return true;
    }
    if (this.#from + bytes > this.#memory.byteLength || this.#from === this.#to) {
      this.#moveToFront(bytes);
    }
    while (this.#to - this.#from < bytes) {
      const read = this.#read(new Uint8Array(this.#memory, this.#to));
      if (read === 0) {
        return false;
      }
      this.#to += read;
    }
    return true;
  }

  #moveToFront(bytes: number): void {
    const rest = new Uint8Array(this.#memory, this.#from, this.#to - this.#from);
    const memory = bytes > this.#memory.byteLength ? new ArrayBuffer(bytes * 2) : this.#memory;
    new Uint8Array(memory).set(rest);
    this.#memory = memory;
    this.#to -= this.#from;
    this.#from = 0;
  }
}
