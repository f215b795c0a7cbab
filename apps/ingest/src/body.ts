import { createHash } from 'node:crypto';
import { Problem } from '@meterflow/http';
import { UploadTooLargeError, type Uploads, type UploadWriter } from '@meterflow/receipts';
import { bodyInMemoryBytesMax } from './limits.ts';
import type { Workload } from './workload.ts';

/** A request's content, whole and hashed: it may be read as often as needed. */
export interface Body {
  /** SHA-256 of the content, hexadecimal. */
  readonly contentHash: string;
  readonly bytes: number;
  readonly isSpooled: boolean;
  read(): AsyncIterable<Uint8Array>;
  /** To be called once it is done with. */
  release(): Promise<void>;
}

export interface BodyOptions {
  readonly uploads: Uploads;
  readonly workload: Workload;
  readonly bytesMax: number;
  /** {@link bodyInMemoryBytesMax} unless told. */
  readonly inMemoryBytesMax?: number;
}

/**
 * Takes a body in whole: in memory while it is small, through the uploads when it is not. Throws {@link Problem} when it
 * is too large or there is no room; whatever is thrown, also by the content itself, nothing of it is left behind.
 */
export async function receiveBody(content: AsyncIterable<Uint8Array>, options: BodyOptions): Promise<Body> {
  const held = new HeldBody(options);
  try {
    for await (const piece of content) {
      await held.add(piece);
    }
    return await held.finish();
  } catch (error) {
    await held.drop();
    throw error instanceof UploadTooLargeError ? tooLarge(error.bytesMax) : error;
  }
}

/** A body while it comes in. */
class HeldBody {
  readonly #options: BodyOptions;
  readonly #hash = createHash('sha256');
  #pieces: Uint8Array[] = [];
  #inMemoryBytes = 0;
  #bytes = 0;
  #writer: UploadWriter | undefined;

  constructor(options: BodyOptions) {
    this.#options = options;
  }

  async add(piece: Uint8Array): Promise<void> {
    const { bytesMax, uploads, workload, inMemoryBytesMax = bodyInMemoryBytesMax } = this.#options;
    this.#bytes += piece.length;
    if (this.#bytes > bytesMax) {
      throw tooLarge(bytesMax);
    }
    if (this.#writer === undefined && this.#bytes > inMemoryBytesMax) {
      this.#writer = await uploads.create({ bytesMax });
      for (const earlier of this.#pieces) {
        await this.#writer.write(earlier);
      }
      this.#forget();
    }
    if (this.#writer === undefined) {
      workload.hold(piece.length);
      this.#inMemoryBytes += piece.length;
      this.#hash.update(piece);
      this.#pieces.push(piece);
    } else {
      await this.#writer.write(piece);
    }
  }

  async finish(): Promise<Body> {
    const { uploads } = this.#options;
    if (this.#writer !== undefined) {
      const { id, contentHash, bytes } = await this.#writer.finish();
      const release = (): Promise<void> => uploads.remove(id);
      return { contentHash, bytes, isSpooled: true, read: () => uploads.read(id), release };
    }
    const pieces = this.#pieces;
    const release = (): Promise<void> => {
      this.#forget();
      return Promise.resolve();
    };
    const contentHash = this.#hash.digest('hex');
    return { contentHash, bytes: this.#bytes, isSpooled: false, read: () => each(pieces), release };
  }

  async drop(): Promise<void> {
    this.#forget();
    await this.#writer?.abort();
  }

  #forget(): void {
    this.#options.workload.release(this.#inMemoryBytes);
    this.#inMemoryBytes = 0;
    this.#pieces = [];
  }
}

function tooLarge(bytesMax: number): Problem {
  return new Problem('body-too-large', `the content may have ${bytesMax} bytes at most once it is unpacked`);
}

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    yield await Promise.resolve(piece);
  }
}
