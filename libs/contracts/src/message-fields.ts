import { Buffer } from 'node:buffer';
import { MalformedMessageError, type MalformedMessageCode } from './malformed-message-error.ts';
import { messageLimits } from './message-limits.ts';
import { wireType, type WireType } from './wire-type.ts';

/** One field of a message: what it is called in errors and how it is written. */
export interface FieldShape {
  readonly name: string;
  readonly wire: WireType;
  /** How often it may stand there; 1 where absent. */
  readonly countMax?: number;
}

/** The fields of a message that this build knows, at the index that is their number. */
export type MessageShape = readonly (FieldShape | undefined)[];

export const varint = (name: string): FieldShape => ({ name, wire: wireType.varint });
export const fixed64 = (name: string): FieldShape => ({ name, wire: wireType.fixed64 });
/** Text, bytes, a column or a message. */
export const block = (name: string): FieldShape => ({ name, wire: wireType.lengthDelimited });
export const blocks = (name: string, countMax: number): FieldShape => ({
  name,
  wire: wireType.lengthDelimited,
  countMax,
});

const noBytes = new Uint8Array(0);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One payload, seen in three ways; its nested messages share it. */
export class Payload {
  /** Never a Buffer, whose `slice` and `subarray` mean something else. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly buffer: Buffer;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.bytes = new Uint8Array(buffer, byteOffset, byteLength);
    this.view = new DataView(buffer, byteOffset, byteLength);
    this.buffer = Buffer.from(buffer, byteOffset, byteLength);
  }
}

/** Columns up to this length are copied number by number: that costs less than the objects that a view needs. */
const shortColumnMax = 8;

/** What is noted of each field: where its content starts and ends, how often it stands there, a varint's value. */
const notesPerField = 4;
const endNote = 1;
const countNote = 2;
const varintNote = 3;

/**
 * The fields of one protobuf message, found in one pass and read when asked for; an absent one reads as its default.
 * Nothing nests by itself: a nested message is read by asking for it, so that depth is what our own code asks for.
 *
 * Stricter than protobuf asks, since every sender of ours writes in one way: a field that is not repeated stands once,
 * and a column is one packed block.
 */
export class MessageFields {
  readonly payload: Payload;
  readonly path: string;
  readonly #bytes: Uint8Array;
  readonly #shape: MessageShape;
  readonly #notes: number[];
  /** By number: start and end of each entry of a repeated field. */
  readonly #entries: (number[] | undefined)[] = [];
  #unknown: number[] | undefined;
  #position: number;
  readonly #end: number;
  /** What `#skip` passed last: the length of a block, the value of a varint. */
  #blockLength = 0;
  #lastVarint = 0;

  private constructor(payload: Payload, shape: MessageShape, place: { path: string; start: number; end: number }) {
    this.payload = payload;
    this.path = place.path;
    this.#bytes = payload.bytes;
    this.#shape = shape;
    this.#notes = new Array<number>(shape.length * notesPerField).fill(0);
    this.#position = place.start;
    this.#end = place.end;
    this.#scan();
  }

  /** The fields of a whole payload. */
  static of(payload: Uint8Array, shape: MessageShape): MessageFields {
    if (payload.length > messageLimits.payloadBytesMax) {
      throw new MalformedMessageError(
        'message-too-large',
        '',
        `${payload.length} bytes; a message holds at most ${messageLimits.payloadBytesMax}`,
      );
    }
    return new MessageFields(new Payload(payload), shape, { path: '', start: 0, end: payload.length });
  }

  /** The fields of a nested message. It must be there, if only empty: a payload cut off between two fields lacks one. */
  message(number: number, shape: MessageShape): MessageFields {
    if (!this.has(number)) {
      throw this.fail(number, 'message-mismatch', 'is missing');
    }
    const place = { path: this.pathOf(number), start: this.#start(number), end: this.#endOf(number) };
    return new MessageFields(this.payload, shape, place);
  }

  /** The fields of a message of a repeated field, where {@link each} said that it lies. */
  entry(number: number, shape: MessageShape, place: { index: number; start: number; end: number }): MessageFields {
    return new MessageFields(this.payload, shape, { ...place, path: `${this.pathOf(number)}[${place.index}]` });
  }

  has(number: number): boolean {
    return this.count(number) !== 0;
  }

  count(number: number): number {
    return this.#notes[number * notesPerField + countNote] as number;
  }

  pathOf(number: number): string {
    const name = this.#shape[number]?.name ?? `field ${number}`;
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  fail(number: number, code: MalformedMessageCode, problem: string): MalformedMessageError {
    return new MalformedMessageError(code, this.pathOf(number), problem);
  }

  /** An unsigned varint up to `max`. */
  unsigned(number: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#notes[number * notesPerField + varintNote] as number;
    if (value > max) {
      throw this.fail(number, 'message-value', `${value} is more than ${max}`);
    }
    return value;
  }

  double(number: number): number {
    return this.has(number) ? this.payload.view.getFloat64(this.#start(number), true) : 0;
  }

  text(number: number, bytesMax: number): string {
    return this.#textAt(number, { start: this.#start(number), end: this.#endOf(number) }, bytesMax);
  }

  /** All texts of a repeated field. */
  texts(number: number, bytesMax: number): string[] {
    const texts: string[] = [];
    this.each(number, (start, end) => {
      texts.push(this.#textAt(number, { start, end }, bytesMax));
    });
    return texts;
  }

  /** Bytes as a view of the payload. */
  block(number: number): Uint8Array {
    return this.has(number) ? this.#bytes.subarray(this.#start(number), this.#endOf(number)) : noBytes;
  }

  /** A packed column of 64-bit numbers: a view of the payload where it happens to be aligned, else a copy. */
  float64s(number: number, lengthMax: number): Float64Array {
    const length = this.#columnLength(number, 8, lengthMax);
    const { buffer, byteOffset } = this.#bytes;
    const start = this.#start(number);
    if (length <= shortColumnMax) {
      const column = new Float64Array(length);
      for (let index = 0; index < length; index++) {
        column[index] = this.payload.view.getFloat64(start + index * 8, true);
      }
      return column;
    }
    return (byteOffset + start) % 8 === 0
      ? new Float64Array(buffer, byteOffset + start, length)
      : new Float64Array(this.#bytes.slice(start, start + length * 8).buffer);
  }

  /** A packed column of 32-bit numbers: a view of the payload where it happens to be aligned, else a copy. */
  uint32s(number: number, lengthMax: number): Uint32Array {
    const length = this.#columnLength(number, 4, lengthMax);
    const { buffer, byteOffset } = this.#bytes;
    const start = this.#start(number);
    if (length <= shortColumnMax) {
      const column = new Uint32Array(length);
      for (let index = 0; index < length; index++) {
        column[index] = this.payload.view.getUint32(start + index * 4, true);
      }
      return column;
    }
    return (byteOffset + start) % 4 === 0
      ? new Uint32Array(buffer, byteOffset + start, length)
      : new Uint32Array(this.#bytes.slice(start, start + length * 4).buffer);
  }

  /** A packed column of signed 32-bit numbers as float64. Always a copy. */
  int32sAsFloat64(number: number, lengthMax: number): Float64Array {
    const length = this.#columnLength(number, 4, lengthMax);
    const column = new Float64Array(length);
    const { view } = this.payload;
    const start = this.#start(number);
    for (let index = 0; index < length; index++) {
      column[index] = view.getInt32(start + index * 4, true);
    }
    return column;
  }

  bytesColumn(number: number, lengthMax: number): Uint8Array {
    this.#columnLength(number, 1, lengthMax);
    return this.block(number);
  }

  /** Calls `visit` with the place of each entry of a repeated field, in order. */
  each(number: number, visit: (start: number, end: number, index: number) => void): void {
    const places = this.#entries[number] ?? [];
    for (let index = 0; index < places.length; index += 2) {
      visit(places[index] as number, places[index + 1] as number, index / 2);
    }
  }

  /** The fields that this build does not know, with their tags, as they came; empty when there are none. */
  unknown(): Uint8Array {
    const places = this.#unknown;
    if (places === undefined) {
      return noBytes;
    }
    const parts: Uint8Array[] = [];
    for (let index = 0; index < places.length; index += 2) {
      parts.push(this.#bytes.subarray(places[index], places[index + 1]));
    }
    return new Payload(Buffer.concat(parts)).bytes;
  }

  #textAt(number: number, { start, end }: { start: number; end: number }, bytesMax: number): string {
    if (end - start > bytesMax) {
      throw this.fail(number, 'message-limit', `a text of ${end - start} bytes; at most ${bytesMax}`);
    }
    let bits = 0;
    for (let index = start; index < end; index++) {
      bits |= this.#bytes[index] as number;
    }
    if (bits < 0x80) {
      return this.payload.buffer.toString('latin1', start, end);
    }
    try {
      return utf8.decode(this.#bytes.subarray(start, end));
    } catch {
      throw this.fail(number, 'message-utf8', 'is not UTF-8');
    }
  }

  #start(number: number): number {
    return this.#notes[number * notesPerField] as number;
  }

  #endOf(number: number): number {
    return this.#notes[number * notesPerField + endNote] as number;
  }

  #scan(): void {
    while (this.#position < this.#end) {
      const start = this.#position;
      if (this.#shape[(this.#bytes[start] as number) >> 3]?.countMax !== undefined) {
        this.#passShortEntries(start);
        if (this.#position > start) {
          continue;
        }
      }
      const tag = this.#varint();
      const number = Math.floor(tag / 8);
      if (number === 0 || tag > 0xffff_ffff) {
        throw new MalformedMessageError('message-wire-type', this.path, `no field has the tag ${tag}`);
      }
      const shape = this.#shape[number];
      if (shape === undefined) {
        this.#keepUnknown(start, this.#skip(tag % 8));
      } else {
        this.#found(number, shape, tag % 8);
      }
    }
  }

  /**
   * Passes the entries of a repeated field as long as tag and length take a byte each: thousands of series, mostly.
   * Leaves whatever else comes, and whatever is wrong, to the loop that called.
   */
  #passShortEntries(first: number): void {
    const bytes = this.#bytes;
    const tag = bytes[first] as number;
    const number = tag >> 3;
    const room = (this.#shape[number]?.countMax ?? 0) - this.count(number);
    const places = (this.#entries[number] ??= []);
    const countBefore = places.length;
    let position = first;
    while (position + 1 < this.#end && bytes[position] === tag && (places.length - countBefore) / 2 < room) {
      const start = position + 2;
      const end = start + (bytes[position + 1] as number);
      if (end - start >= 0x80 || end > this.#end || tag % 8 !== wireType.lengthDelimited || tag >= 0x80) {
        break;
      }
      places.push(start, end);
      position = end;
    }
    this.#notes[number * notesPerField + countNote] = places.length / 2;
    this.#position = position;
  }

  /** Notes where unknown fields lie; neighbours share a place, so that many small ones cost no memory. */
  #keepUnknown(start: number, end: number): void {
    this.#unknown ??= [];
    if (this.#unknown.at(-1) === start) {
      this.#unknown[this.#unknown.length - 1] = end;
    } else {
      this.#unknown.push(start, end);
    }
  }

  #found(number: number, shape: FieldShape, wire: number): void {
    if (wire !== shape.wire) {
      throw this.fail(number, 'message-wire-type', `has wire type ${wire}, not ${shape.wire}`);
    }
    const notes = number * notesPerField;
    const count = this.count(number) + 1;
    this.#notes[notes + countNote] = count;
    if (count > (shape.countMax ?? 1)) {
      throw shape.countMax === undefined
        ? this.fail(number, 'message-repeated-field', 'stands there twice')
        : this.fail(number, 'message-limit', `more than ${shape.countMax}`);
    }
    const contentStart = this.#position;
    const end = this.#skip(wire);
    const start = wire === wireType.lengthDelimited ? end - this.#blockLength : contentStart;
    if (shape.countMax === undefined) {
      this.#notes[notes] = start;
      this.#notes[notes + endNote] = end;
      this.#notes[notes + varintNote] = this.#lastVarint;
    } else {
      (this.#entries[number] ??= []).push(start, end);
    }
  }

  /** Passes the content of a field and returns where it ends. */
  #skip(wire: number): number {
    switch (wire) {
      case wireType.varint:
        this.#lastVarint = this.#varint();
        break;
      case wireType.fixed64:
        this.#position += 8;
        break;
      case wireType.fixed32:
        this.#position += 4;
        break;
      case wireType.lengthDelimited:
        this.#blockLength = this.#varint();
        this.#position += this.#blockLength;
        break;
      default:
        throw new MalformedMessageError('message-wire-type', this.path, `wire type ${wire} is not in use`);
    }
    if (this.#position > this.#end) {
      throw new MalformedMessageError('message-truncated', this.path, 'ends within a field');
    }
    return this.#position;
  }

  #varint(): number {
    const first = this.#position < this.#end ? (this.#bytes[this.#position] as number) : 0x80;
    if (first < 0x80) {
      this.#position += 1;
      return first;
    }
    let value = 0;
    let scale = 1;
    for (let read = 0; read < 10; read++) {
      if (this.#position >= this.#end) {
        throw new MalformedMessageError('message-truncated', this.path, 'ends within a number');
      }
      const byte = this.#bytes[this.#position++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return value;
      }
      scale *= 0x80;
    }
    throw new MalformedMessageError('message-wire-type', this.path, 'a number of more than 10 bytes');
  }

  #columnLength(number: number, width: number, lengthMax: number): number {
    const bytes = this.#endOf(number) - this.#start(number);
    if (bytes % width !== 0) {
      throw this.fail(number, 'message-mismatch', `${bytes} bytes are not a column of ${width} bytes each`);
    }
    if (bytes / width > lengthMax) {
      throw this.fail(number, 'message-limit', `${bytes / width} values; at most ${lengthMax}`);
    }
    return bytes / width;
  }
}
