/** Most messages are small, and there are many: a large buffer for each would cost more than growing the few. */
const bytesAtFirst = 512;

/**
 * Writes protobuf from the end to the start: a message's length is known when its content is written, so that nothing
 * is measured before or moved after. Fields of a message are written in reverse, the message's own head last.
 */
export class ReverseWriter {
  bytes = Buffer.allocUnsafe(bytesAtFirst);
  /** Where the last byte written stands; all after it is written. */
  position = bytesAtFirst;

  get length(): number {
    return this.bytes.length - this.position;
  }

  reset(): void {
    this.position = this.bytes.length;
  }

  /** What is written from now back to `length`, as a view that the next write may make void. */
  view(length: number): Buffer {
    return this.bytes.subarray(this.position, this.bytes.length - length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.position -= 1;
    this.bytes[this.position] = value;
  }

  raw(source: Uint8Array): void {
    this.#reserve(source.length);
    this.position -= source.length;
    this.bytes.set(source, this.position);
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    this.#reserve(10);
    let size = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      size += 1;
    }
    this.position -= size;
    let at = this.position;
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[at] = rest;
  }

  /** Ends (that is: begins) a field whose content was written since the writer had `length`. */
  head(field: number, length: number): void {
    this.varint(this.length - length);
    this.varint(field * 8 + 2);
  }

  bytesField(field: number, value: Uint8Array): void {
    const { length } = this;
    this.raw(value);
    this.head(field, length);
  }

  textField(field: number, value: string): void {
    const { length } = this;
    const size = Buffer.byteLength(value);
    this.#reserve(size);
    this.position -= size;
    this.bytes.write(value, this.position, size);
    this.head(field, length);
  }

  numberField(field: number, value: number): void {
    this.varint(value);
    this.varint(field * 8);
  }

  #reserve(size: number): void {
    if (this.position >= size) {
      return;
    }
    const { length } = this;
    const longer = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, length + size));
    this.bytes.copy(longer, longer.length - length, this.position);
    this.bytes = longer;
    this.position = longer.length - length;
  }
}
