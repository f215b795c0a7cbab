import { probeBytesMax } from './limits.ts';
import type { RowSource } from './row-source.ts';
import type { Steps } from './steps.ts';

export interface ProbingOptions {
  /** Deduces the interval length from the beginning of the source, or all of it where it has not more; undefined if it can't. */
  readonly probe: (beginning: Uint8Array, isWhole: boolean) => Steps<number | undefined>;
  /** Makes what reads the source, with the length that was deduced. */
  readonly open: (lengthMs: number | undefined) => RowSource;
}

/** Holds back the first bytes of a source, always the same number of them, until the interval length is deduced. */
export class ProbingSource implements RowSource {
  readonly #options: ProbingOptions;
  #beginning = new Uint8Array(0);
  #length = 0;
  #source: RowSource | undefined;

  constructor(options: ProbingOptions) {
    this.#options = options;
  }

  *push(bytes: Uint8Array): Steps {
    if (this.#source !== undefined) {
      yield* this.#source.push(bytes);
      return;
    }
    const taken = bytes.subarray(0, probeBytesMax - this.#length);
    this.#keep(taken);
    if (this.#length === probeBytesMax) {
      const source = yield* this.#open(false);
      yield* source.push(bytes.subarray(taken.length));
    }
  }

  *end(): Steps {
    const source = this.#source ?? (yield* this.#open(true));
    yield* source.end();
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#beginning.length) {
      const longer = new Uint8Array(Math.min(probeBytesMax, length * 2));
      longer.set(this.#beginning.subarray(0, this.#length));
      this.#beginning = longer;
    }
    this.#beginning.set(bytes, this.#length);
    this.#length = length;
  }

  *#open(isWhole: boolean): Steps<RowSource> {
    const beginning = this.#beginning.subarray(0, this.#length);
    this.#beginning = new Uint8Array(0);
    const source = this.#options.open(yield* this.#options.probe(beginning, isWhole));
    this.#source = source;
    yield* source.push(beginning);
    return source;
  }
}
