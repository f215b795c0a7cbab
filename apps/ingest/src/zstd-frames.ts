import { constants as zlib, createZstdDecompress } from 'node:zlib';
import { UnreadableSourceError } from '@meterflow/formats';
import { zstdWindowLogMax } from './limits.ts';
import { through } from './through.ts';

/** A decompressor costs as much for an empty frame as for a large one: beyond so many, frames must have some size on average. */
const framesFreeMax = 1_000;
const frameBytesMin = 4_096;

/**
 * Unpacks all frames of zstd content. Node's stream ends silently after a frame that ends within a piece: what is left
 * of the piece is the next frame's, and would be lost.
 */
export async function* zstdFrames(bytes: AsyncIterable<Uint8Array>, chunkSize: number): AsyncGenerator<Uint8Array> {
  const source = bytes[Symbol.asyncIterator]();
  try {
    let left: readonly Uint8Array[] = [];
    let frames = 0;
    let packedBytes = 0;
    do {
      if (frames > framesFreeMax && packedBytes < frames * frameBytesMin) {
        const reason = `the zstd content is packed in ${frames} frames of less than ${frameBytesMin} bytes; pack it in one`;
        throw new UnreadableSourceError('too-many-frames', reason);
      }
      const frame = createZstdDecompress({ chunkSize, params: { [zlib.ZSTD_d_windowLogMax]: zstdWindowLogMax } });
      const feed = new Feed(left, source);
      yield* through(
        feed.pieces(() => frame.bytesWritten),
        frame,
      );
      left = feed.unused(frame.bytesWritten);
      frames += 1;
      packedBytes += frame.bytesWritten;
    } while (left.length > 0);
  } finally {
    await source.return?.();
  }
}

/** Hands out pieces, and keeps those that are not used up yet. */
class Feed {
  readonly #first: readonly Uint8Array[];
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array[] = [];
  /** Bytes of pieces that were used up whole. */
  #forgotten = 0;

  constructor(first: readonly Uint8Array[], source: AsyncIterator<Uint8Array>) {
    this.#first = first;
    this.#source = source;
  }

  async *pieces(usedBytes: () => number): AsyncGenerator<Uint8Array> {
    for (const piece of this.#first) {
      this.#held.push(piece);
    }
    yield* this.#first;
    for (let next = await this.#source.next(); next.done !== true; next = await this.#source.next()) {
      this.#forget(usedBytes());
      this.#held.push(next.value);
      yield next.value;
    }
  }

  /** What was handed out beyond so many bytes. */
  unused(usedBytes: number): readonly Uint8Array[] {
    this.#forget(usedBytes);
    const [partly, ...others] = this.#held;
    return partly === undefined ? [] : [partly.subarray(usedBytes - this.#forgotten), ...others];
  }

  #forget(usedBytes: number): void {
    for (let piece = this.#held[0]; piece !== undefined; piece = this.#held[0]) {
      if (this.#forgotten + piece.length > usedBytes) {
        return;
      }
      this.#forgotten += piece.length;
      this.#held.shift();
    }
  }
}
