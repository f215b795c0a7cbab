import { CorruptSegmentError } from './corrupt-segment-error.ts';

/** Reads what a ByteWriter wrote. Whatever the bytes are, it ends, and never reads past them. */
export class ByteReader {
  bytes: Uint8Array = new Uint8Array(0);
  position = 0;

  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.position = 0;
  }

  get left(): number {
    return this.bytes.length - this.position;
  }

  byte(): number {
    const value = this.bytes[this.position];
    if (value === undefined) {
      throw new CorruptSegmentError('the bytes end too early');
    }
    this.position += 1;
    return value;
  }

  varint(): number {
    const first = this.bytes[this.position];
    if (first !== undefined && first < 0x80) {
      this.position += 1;
      return first;
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let factor = 1;
    let value = 0;
    for (let read = 0; read < 8; read++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) {
          break;
        }
        return value;
      }
      factor *= 128;
    }
    throw new CorruptSegmentError('a number is longer than 53 bits');
  }

  /** Skips so many varints, whatever they say. */
  skipVarints(count: number): void {
    const { bytes } = this;
    let { position } = this;
    for (let left = count; left > 0; position++) {
      if (position >= bytes.length) {
        throw new CorruptSegmentError('the bytes end too early');
      }
      left -= (bytes[position] as number) < 0x80 ? 1 : 0;
    }
    this.position = position;
  }

  /** A number that must not be above `max`: a count is held against the bytes that are left before anything is allocated. */
  countTo(max: number): number {
    const value = this.varint();
    if (value > max) {
      throw new CorruptSegmentError(`a count of ${value} where at most ${max} fit`);
    }
    return value;
  }

  /** Skips `count` bytes and returns where they start. */
  skip(count: number): number {
    const start = this.position;
    if (count > this.left) {
      throw new CorruptSegmentError('the bytes end too early');
    }
    this.position += count;
    return start;
  }

  /** Skips the given bytes where they come next; false, and nothing skipped, where others do or none are given. */
  skipEqual(expected: Uint8Array): boolean {
    const { bytes, position } = this;
    for (let index = 0; index < expected.length; index++) {
      if (bytes[position + index] !== expected[index]) {
        return false;
      }
    }
    this.position = position + expected.length;
    return expected.length > 0;
  }

  text(): string {
    const length = this.countTo(this.left);
    const start = this.skip(length);
    try {
      return decoder.decode(this.bytes.subarray(start, start + length));
    } catch {
      throw new CorruptSegmentError('a text is not UTF-8');
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
