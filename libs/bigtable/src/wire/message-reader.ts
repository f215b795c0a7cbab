/** Thrown when the server's answer is no message. */
export class MalformedAnswerError extends Error {
  override readonly name = 'MalformedAnswerError';
}

/** Walks the fields of a protobuf message: `next`, then read or `skip` what the field holds. */
export class MessageReader {
  bytes: Buffer;
  position: number;
  end: number;
  field = 0;
  #wireType = 0;

  constructor(bytes: Buffer, from = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = from;
    this.end = end;
  }

  open(bytes: Buffer, from: number, end: number): void {
    this.bytes = bytes;
    this.position = from;
    this.end = end;
  }

  next(): boolean {
    if (this.position >= this.end) {
      return false;
    }
    const tag = this.varint();
    this.field = tag >>> 3;
    this.#wireType = tag & 7;
    return true;
  }

  /** Whether the field holds bytes, not a number. */
  get isMessage(): boolean {
    return this.#wireType === 2;
  }

  varint(): number {
    const { bytes } = this;
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[this.position++];
      if (byte === undefined || this.position > this.end) {
        throw new MalformedAnswerError('an answer ends within a number');
      }
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return value;
      }
      scale *= 0x80;
    }
  }

  /** Steps over a field's bytes and returns where they begin; they end at `position`. */
  skipBytes(): number {
    const length = this.varint();
    const start = this.position;
    this.position += length;
    if (this.position > this.end) {
      throw new MalformedAnswerError('an answer ends within a field');
    }
    return start;
  }

  view(): Buffer {
    const start = this.skipBytes();
    return this.bytes.subarray(start, this.position);
  }

  /** A reader of the message within. */
  message(): MessageReader {
    const start = this.skipBytes();
    return new MessageReader(this.bytes, start, this.position);
  }

  skip(): void {
    switch (this.#wireType) {
      case 0:
        this.varint();
        return;
      case 1:
        this.position += 8;
        return;
      case 2:
        this.skipBytes();
        return;
      case 5:
        this.position += 4;
        return;
      default:
        throw new MalformedAnswerError('an answer with an unknown kind of field');
    }
  }
}
