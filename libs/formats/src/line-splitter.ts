import { lineBytesMax } from './limits.ts';
import type { Steps } from './steps.ts';

const lineFeed = 10;
/** One byte more than a line may have, so that what follows still sees that it is too long. */
const keptBytesMax = lineBytesMax + 1;

export type LinesTaker = (bytes: Uint8Array, from: number, to: number) => Steps;

/**
 * Cuts a stream of bytes into stretches of whole lines, each with its line feed; the same lines however the stream
 * arrives in pieces. A line that lies across pieces is put together, one that is too long without its end.
 */
export class LineSplitter {
  readonly #take: LinesTaker;
  #kept = new Uint8Array(1_024);
  #keptLength = 0;

  constructor(take: LinesTaker) {
    this.#take = take;
  }

  *push(bytes: Uint8Array): Steps {
    const last = bytes.lastIndexOf(lineFeed);
    if (last < 0) {
      this.#keep(bytes, 0, bytes.length);
      return;
    }
    const start = this.#keptLength === 0 ? 0 : bytes.indexOf(lineFeed) + 1;
    if (start > 0) {
      this.#keep(bytes, 0, start - 1);
      yield* this.#takeKept();
    }
    if (start <= last) {
      yield* this.#take(bytes, start, last + 1);
    }
    this.#keep(bytes, last + 1, bytes.length);
  }

  /** Gives out the last line, where it has no line feed. */
  *end(): Steps {
    if (this.#keptLength > 0) {
      yield* this.#takeKept();
    }
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    const length = Math.min(to - from, keptBytesMax - this.#keptLength);
    if (this.#keptLength + length >= this.#kept.length) {
      const longer = new Uint8Array(Math.min(keptBytesMax + 1, (this.#keptLength + length) * 2));
      longer.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = longer;
    }
    this.#kept.set(bytes.subarray(from, from + length), this.#keptLength);
    this.#keptLength += length;
  }

  #takeKept(): Steps {
    const length = this.#keptLength;
    this.#kept[length] = lineFeed;
    this.#keptLength = 0;
    return this.#take(this.#kept, 0, length + 1);
  }
}
