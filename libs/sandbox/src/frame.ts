/**
 * Frames between parent and child: a header of sixteen uint32 (the first is the length of the whole, a multiple of
 * eight), then sections, each padded to eight bytes, so that columns are read as views where they lie. Both ends are
 * one machine, so numbers are in its own byte order.
 */
const headerWords = 16;
export const headerBytes = headerWords * 4;

/** Words of the header that all frames share. */
export const word = { bytes: 0, kind: 1, job: 2 } as const;

export function padded(bytes: number): number {
  return (bytes + 7) & ~7;
}

export type Allocate = (bytes: number) => ArrayBuffer;

/** Writes sections one behind the other into one frame. */
export class FrameWriter {
  readonly header: Uint32Array;
  readonly bytes: Buffer<ArrayBuffer>;
  #offset = headerBytes;

  /** `sectionBytes`: of all sections, padded. `allocate` may give more than is asked for, and what was used before. */
  constructor(sectionBytes: number, allocate: Allocate = (bytes) => new ArrayBuffer(bytes)) {
    const bytes = headerBytes + sectionBytes;
    const memory = allocate(bytes);
    this.header = new Uint32Array(memory, 0, headerWords).fill(0);
    this.bytes = Buffer.from(memory, 0, bytes);
    this.header[word.bytes] = bytes;
  }

  column(column: Float64Array | Uint32Array | Uint16Array | Uint8Array): void {
    const { buffer, byteOffset, byteLength } = column;
    this.bytes.set(new Uint8Array(buffer, byteOffset, byteLength), this.#offset);
    this.#offset += padded(byteLength);
  }

  /** Leaves room for a section that is written where it lies; returns where that is. */
  room(bytes: number): number {
    const offset = this.#offset;
    this.#offset += padded(bytes);
    return offset;
  }

  text(text: string): void {
    this.#offset += padded(this.bytes.write(text, this.#offset, 'utf8'));
  }
}

/** Reads sections one behind the other. Views share the frame's memory. */
export class FrameReader {
  readonly header: Uint32Array;
  /** The whole frame. */
  readonly bytes: Uint8Array;
  readonly #memory: ArrayBufferLike;
  #offset: number;

  constructor(memory: ArrayBufferLike, offset: number) {
    this.header = new Uint32Array(memory, offset, headerWords);
    this.bytes = new Uint8Array(memory, offset, this.header[word.bytes]);
    this.#memory = memory;
    this.#offset = offset + headerBytes;
  }

  float64(length: number): Float64Array {
    return new Float64Array(this.#memory, this.#skip(length * 8), length);
  }

  uint32(length: number): Uint32Array {
    return new Uint32Array(this.#memory, this.#skip(length * 4), length);
  }

  uint16(length: number): Uint16Array {
    return new Uint16Array(this.#memory, this.#skip(length * 2), length);
  }

  uint8(length: number): Uint8Array {
    return new Uint8Array(this.#memory, this.#skip(length), length);
  }

  text(bytes: number): string {
    return Buffer.from(this.#memory, this.#skip(bytes), bytes).toString('utf8');
  }

  #skip(bytes: number): number {
    const offset = this.#offset;
    this.#offset += padded(bytes);
    return offset;
  }
}
