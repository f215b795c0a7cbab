const encoder = new TextEncoder();
const bytesAtFirst = 1_024;

/** Bytes that are appended to. */
export class GrowingBytes {
  length = 0;
  #bytes: Uint8Array;
  #view: DataView;

  constructor(capacity = bytesAtFirst) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was appended; a view that the next append may leave behind. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  byte(value: number): void {
    this.reserve(1)[this.length++] = value;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Lowest byte first. */
  int32(value: number): void {
    this.reserve(4);
    this.#view.setInt32(this.length, value, true);
    this.length += 4;
  }

  /** An integer in float64 as int64, lowest byte first. */
  int64(integer: number): void {
    this.reserve(8);
    this.#view.setUint32(this.length, integer >>> 0, true);
    this.#view.setInt32(this.length + 4, Math.floor(integer / wordUnit), true);
    this.length += 8;
  }

  /** An integer as int128, highest byte first, as Parquet has decimals. */
  int128BigEndian(integer: number | bigint): void {
    this.reserve(16);
    const [at, view] = [this.length, this.#view];
    if (typeof integer === 'number') {
      const sign = integer < 0 ? -1 : 0;
      view.setInt32(at, sign);
      view.setInt32(at + 4, sign);
      view.setInt32(at + 8, Math.floor(integer / wordUnit));
      view.setUint32(at + 12, integer >>> 0);
    } else {
      view.setBigInt64(at, integer >> 64n);
      view.setBigUint64(at + 8, BigInt.asUintN(64, integer));
    }
    this.length += 16;
  }

  /** A text in UTF-8 with its length before it. */
  text(text: string): void {
    const bytes = this.reserve(4 + text.length * 3);
    const from = this.length + 4;
    let to = from;
    // Names are nearly always plain ASCII, for which a loop is several times faster than the encoder.
    for (let index = 0, code = 0; index < text.length && (code = text.charCodeAt(index)) < 0x80; index++) {
      bytes[to++] = code;
    }
    if (to - from < text.length) {
      to = from + encoder.encodeInto(text, bytes.subarray(from)).written;
    }
    this.int32(to - from);
    this.length = to;
  }

  /** Unsigned, seven bits a byte, lowest first. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** Makes room for `count` more bytes and returns the memory, which is written from `length` on. */
  reserve(count: number): Uint8Array {
    if (this.length + count > this.#bytes.length) {
      const longer = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count));
      longer.set(this.bytes());
      this.#bytes = longer;
      this.#view = new DataView(longer.buffer);
    }
    return this.#bytes;
  }
}

const wordUnit = 2 ** 32;
