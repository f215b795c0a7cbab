/** A buffer that grows and is used again: what was written before `reset` is void. Numbers are little-endian. */
export class ByteWriter {
  bytes = new Uint8Array(4_096);
  position = 0;
  /** The last text, mostly the next one too. */
  #text = '';
  #encoded: Uint8Array = new Uint8Array(0);

  reset(): void {
    this.position = 0;
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.position + count;
    if (needed > this.bytes.length) {
      const longer = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      longer.set(this.bytes);
      this.bytes = longer;
    }
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, the low ones first. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.bytes[this.position++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      this.bytes[this.position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.position++] = rest;
  }

  copy(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.position);
    this.position += source.length;
  }

  /** The length in bytes, then UTF-8. */
  text(text: string): void {
    if (text !== this.#text) {
      this.#text = text;
      this.#encoded = encoder.encode(text);
    }
    this.varint(this.#encoded.length);
    this.copy(this.#encoded);
  }
}

const encoder = new TextEncoder();
