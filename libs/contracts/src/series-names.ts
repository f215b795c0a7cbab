import type { Buffer } from 'node:buffer';
import { identifierCharsMax, isIdentifier, type SeriesName } from '@meterflow/readings';
import { block, type MessageFields, type MessageShape } from './message-fields.ts';
import type { WireWriter } from './wire-writer.ts';

const shape: MessageShape = [undefined, block('meter'), block('channel')];
const meterTag = 0x0a;
const channelTag = 0x12;
/** A character of an identifier is at most three bytes of UTF-8. */
const nameBytesMax = identifierCharsMax * 3;

export function writeSeries(writer: WireWriter, field: number, series: readonly SeriesName[]): void {
  for (let index = series.length - 1; index >= 0; index--) {
    const { meter, channel } = series[index] as SeriesName;
    const { mark } = writer;
    writer.text(2, channel);
    writer.text(1, meter);
    writer.message(field, mark);
  }
}

/** Reads a repeated SeriesName; every name is one that `isIdentifier` takes. */
export function readSeries(fields: MessageFields, number: number): SeriesName[] {
  const reader = new SeriesReader(fields, number);
  const series = new Array<SeriesName>(fields.count(number));
  fields.each(number, (start, end, index) => {
    series[index] = reader.read(start, end, index);
  });
  return series;
}

/** Names are cut from texts of so many bytes: few native calls, and whoever keeps a name keeps no more than that alive. */
const windowBytes = 512;

class SeriesReader {
  readonly #fields: MessageFields;
  readonly #number: number;
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  #window = '';
  #windowStart = 0;
  #windowEnd = 0;
  #channel = '';
  #channelStart = 0;

  constructor(fields: MessageFields, number: number) {
    this.#fields = fields;
    this.#number = number;
    this.#bytes = fields.payload.bytes;
    this.#buffer = fields.payload.buffer;
  }

  read(start: number, end: number, index: number): SeriesName {
    const bytes = this.#bytes;
    // Nearly all names look like this: meter and channel, in this order, of printable ASCII.
    const meterStart = start + 2;
    const meterEnd = meterStart + (bytes[start + 1] as number);
    const channelStart = meterEnd + 2;
    if (
      channelStart < end &&
      bytes[start] === meterTag &&
      bytes[meterEnd] === channelTag &&
      channelStart + (bytes[meterEnd + 1] as number) === end &&
      this.#plain(meterStart, meterEnd) &&
      this.#plain(channelStart, end)
    ) {
      return { meter: this.#cut(meterStart, meterEnd), channel: this.#sameChannel(channelStart, end) };
    }
    return this.#readSlowly(start, end, index);
  }

  /** True for an identifier of ASCII alone. */
  #plain(start: number, end: number): boolean {
    const bytes = this.#bytes;
    const length = end - start;
    let outside = 0;
    for (let index = start; index < end; index++) {
      const byte = bytes[index] as number;
      outside |= (byte - 0x20) | (0x7e - byte);
    }
    return (
      outside >= 0 && length > 0 && length <= identifierCharsMax && bytes[start] !== 0x20 && bytes[end - 1] !== 0x20
    );
  }

  #cut(start: number, end: number): string {
    if (end > this.#windowEnd) {
      this.#windowStart = start;
      this.#windowEnd = Math.min(this.#bytes.length, start + windowBytes);
      this.#window = this.#buffer.toString('latin1', start, this.#windowEnd);
    }
    return this.#window.substring(start - this.#windowStart, end - this.#windowStart);
  }

  /** Most series of a batch are of one channel: one text for all of them. */
  #sameChannel(start: number, end: number): string {
    const length = end - start;
    if (length === this.#channel.length) {
      const bytes = this.#bytes;
      let index = 0;
      while (index < length && bytes[start + index] === bytes[this.#channelStart + index]) {
        index += 1;
      }
      if (index === length) {
        return this.#channel;
      }
    }
    this.#channelStart = start;
    this.#channel = this.#cut(start, end);
    return this.#channel;
  }

  #readSlowly(start: number, end: number, index: number): SeriesName {
    const name = this.#fields.entry(this.#number, shape, { index, start, end });
    return { meter: identifierOf(name, 1), channel: identifierOf(name, 2) };
  }
}

function identifierOf(name: MessageFields, number: number): string {
  const text = name.text(number, nameBytesMax);
  if (!isIdentifier(text)) {
    throw name.fail(number, 'message-value', `not 1 to ${identifierCharsMax} printable characters`);
  }
  return text;
}
