import { FrameReader, headerBytes } from './frame.ts';

/** Puts frames together from what a socket gives, piece by piece. Each frame gets memory of its own and may be kept. */
export class FrameAssembler {
  readonly #frameBytesMax: number;
  readonly #onFrame: (frame: FrameReader) => void;
  readonly #length = new Uint8Array(4);
  #lengthKnown = 0;
  #frame: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  constructor(frameBytesMax: number, onFrame: (frame: FrameReader) => void) {
    this.#frameBytesMax = frameBytesMax;
    this.#onFrame = onFrame;
  }

  /** Throws RangeError for a frame that is too long or too short: the other end is not what it should be. */
  push(piece: Uint8Array): void {
    let from = 0;
    while (from < piece.length) {
      if (this.#frame === undefined) {
        from += this.#readLength(piece, from);
        continue;
      }
      const frame = this.#frame;
      const taken = Math.min(frame.length - this.#filled, piece.length - from);
      frame.set(piece.subarray(from, from + taken), this.#filled);
      this.#filled += taken;
      from += taken;
      if (this.#filled === frame.length) {
        this.#frame = undefined;
        this.#onFrame(new FrameReader(frame.buffer, 0));
      }
    }
  }

  #readLength(piece: Uint8Array, from: number): number {
    const taken = Math.min(4 - this.#lengthKnown, piece.length - from);
    this.#length.set(piece.subarray(from, from + taken), this.#lengthKnown);
    this.#lengthKnown += taken;
    if (this.#lengthKnown === 4) {
      const bytes = new Uint32Array(this.#length.buffer)[0] as number;
      if (bytes < headerBytes || bytes > this.#frameBytesMax || bytes % 8 !== 0) {
        throw new RangeError(`a frame can't have ${bytes} bytes`);
      }
      this.#frame = new Uint8Array(bytes);
      this.#frame.set(this.#length);
      this.#filled = 4;
      this.#lengthKnown = 0;
    }
    return taken;
  }
}
