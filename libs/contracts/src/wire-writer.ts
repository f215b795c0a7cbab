import { IntegrityError } from '@meterflow/stage';
import { messageLimits } from './message-limits.ts';
import { wireType } from './wire-type.ts';

export type Column = Uint8Array | Uint32Array | Int32Array | Float64Array;

/** Kept from message to message; whatever a larger one needed is given back. */
const bytesKept = 512 * 1024;
/** Columns up to this length are written number by number: the view that a copy needs would cost more. */
const shortColumnMax = 8;
const utf8 = new TextEncoder();
let asciiScratch = new Uint8Array(16 * 1024);

/**
 * Writes a protobuf message from its end to its start, so that the length of a nested message is known when its header
 * is written: fields in falling order, and each message as `mark`, its fields, `message`. Fields that hold their
 * default are left out, as every protobuf encoder does. Made once and used again after each `finish`.
 */
export class WireWriter {
  #bytes = new Uint8Array(bytesKept);
  #view = new DataView(this.#bytes.buffer);
  #position = bytesKept;

  /** Starts over, also after an error left something half written. */
  begin(): void {
    if (this.#bytes.length > bytesKept) {
      this.#bytes = new Uint8Array(bytesKept);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#position = this.#bytes.length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#checkSize(this.mark);
    return this.#bytes.slice(this.#position);
  }

  /** How much is written: hand it to `message` when the fields of a nested message are. */
  get mark(): number {
    return this.#bytes.length - this.#position;
  }

  /** Closes the nested message whose fields were written since `mark`. */
  message(field: number, mark: number): void {
    this.#varint(this.mark - mark);
    this.#varint(field * 8 + wireType.lengthDelimited);
  }

  unsigned(field: number, value: number): void {
    if (value !== 0) {
      this.#varint(value);
      this.#varint(field * 8 + wireType.varint);
    }
  }

  double(field: number, value: number): void {
    if (value !== 0) {
      this.#room(8);
      this.#position -= 8;
      this.#view.setFloat64(this.#position, value, true);
      this.#varint(field * 8 + wireType.fixed64);
    }
  }

  text(field: number, text: string): void {
    if (text !== '') {
      this.entry(field, text);
    }
  }

  /** A text of a repeated field: written also when it is empty. */
  entry(field: number, text: string): void {
    const { mark } = this;
    this.#text(text);
    this.message(field, mark);
  }

  /** Writes a text of ASCII characters, without a header; false, and nothing written, when it has others. */
  ascii(text: string): boolean {
    if (asciiScratch.length < text.length) {
      asciiScratch = new Uint8Array(text.length);
    }
    const { read, written } = utf8.encodeInto(text, asciiScratch);
    const isAscii = read === text.length && written === text.length;
    if (isAscii) {
      this.raw(asciiScratch.subarray(0, written));
    }
    return isAscii;
  }

  /** Numbers as they lie in memory: a packed field, or bytes. */
  column(field: number, column: Column): void {
    if (column.length > 0) {
      if (column.length <= shortColumnMax) {
        this.#numbers(column);
      } else {
        this.raw(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
      }
      this.#varint(column.byteLength);
      this.#varint(field * 8 + wireType.lengthDelimited);
    }
  }

  /** Bytes without a header. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#position -= bytes.length;
    this.#bytes.set(bytes, this.#position);
  }

  #numbers(column: Column): void {
    this.#room(column.byteLength);
    const width = column.BYTES_PER_ELEMENT;
    for (let index = column.length - 1; index >= 0; index--) {
      this.#position -= width;
      if (width === 8) {
        this.#view.setFloat64(this.#position, column[index] as number, true);
      } else if (width === 4) {
        this.#view.setInt32(this.#position, column[index] as number, true);
      } else {
        this.#bytes[this.#position] = column[index] as number;
      }
    }
  }

  #text(text: string): void {
    this.#room(text.length);
    const bytes = this.#bytes;
    let position = this.#position;
    for (let index = text.length - 1; index >= 0; index--) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        this.raw(utf8.encode(text));
        return;
      }
      bytes[--position] = code;
    }
    this.#position = position;
  }

  #varint(value: number): void {
    this.#room(10);
    if (value < 0x80) {
      this.#bytes[--this.#position] = value;
      return;
    }
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      length += 1;
    }
    this.#position -= length;
    let rest = value;
    for (let index = this.#position; length > 1; index++, length--) {
      this.#bytes[index] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
      if (length === 2) {
        this.#bytes[index + 1] = rest;
      }
    }
  }

  #room(bytes: number): void {
    if (this.#position < bytes) {
      this.#grow(bytes);
    }
  }

  #grow(bytes: number): void {
    const { mark } = this;
    this.#checkSize(mark + bytes);
    const grown = new Uint8Array(Math.max(mark + bytes, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(this.#position), grown.length - mark);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
    this.#position = grown.length - mark;
  }
  #checkSize(bytes: number): void {
    if (bytes > messageLimits.payloadBytesMax) {
      throw new IntegrityError('message-too-large', `a message holds at most ${messageLimits.payloadBytesMax} bytes`);
    }
  }
}
