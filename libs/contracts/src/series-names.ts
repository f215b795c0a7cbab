import type { Buffer } from 'node:buffer';
import { identifierCharsMax, isIdentifier, type SeriesName } from '@meterflow/readings';
import { block, type MessageFields, type MessageShape } from './message-fields.ts';
import { wireType } from './wire-type.ts';
import type { WireWriter } from './wire-writer.ts';

const shape: MessageShape = [undefined, block('meter'), block('channel')];
const meterTag = 0x0a;
const channelTag = 0x12;
/** A character of an identifier is at most three bytes of UTF-8. */
const nameBytesMax = identifierCharsMax * 3;

/** So many series are written as one text: few native calls, and short-lived texts of some kilobytes. */
const seriesPerText = 256;

export function writeSeries(writer: WireWriter, field: number, series: readonly SeriesName[]): void {
  for (let to = series.length; to > 0; to -= seriesPerText) {
    const some = series.slice(Math.max(0, to - seriesPerText), to);
    const text = wireText(field, some);
    if (text === undefined || !writer.ascii(text)) {
      writeOneByOne(writer, field, some);
    }
  }
}

/** The messages as one text, as long as every length fits one byte. */
function wireText(field: number, series: readonly SeriesName[]): string | undefined {
  let text = '';
  let head = '';
  let tail = '';
  let lastChannel = '';
  let lastLength = 0;
  for (const { meter, channel } of series) {
    // Neighbours mostly have names of one length and the same channel.
    if (meter.length !== lastLength || channel !== lastChannel) {
      const length = meter.length + channel.length + 4;
      if (length >= 0x80 || meter === '' || channel === '') {
        return undefined;
      }
      head = String.fromCharCode(field * 8 + wireType.lengthDelimited, length, meterTag, meter.length);
      tail = String.fromCharCode(channelTag, channel.length) + channel;
      lastLength = meter.length;
      lastChannel = channel;
    }
    text += head + meter + tail;
  }
  return text;
}

function writeOneByOne(writer: WireWriter, field: number, series: readonly SeriesName[]): void {
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
      this.#plainChannel(channelStart, end)
    ) {
      return { meter: this.#cut(meterStart, meterEnd), channel: this.#channel };
    }
    return this.#readSlowly(start, end, index);
  }

  /** True for an identifier of ASCII alone. Looks at four bytes at a time; the last four may overlap the ones before. */
  #plain(start: number, end: number): boolean {
    const length = end - start;
    if (length > identifierCharsMax || this.#bytes[start] === 0x20 || this.#bytes[end - 1] === 0x20) {
      return false;
    }
    if (length < 4) {
      return length > 0 && this.#plainBytes(start, end);
    }
    const { view } = this.#fields.payload;
    let outside = 0;
    for (let index = start; index < end - 4; index += 4) {
      outside |= outsidePrintable(view.getInt32(index, true));
    }
    return ((outside | outsidePrintable(view.getInt32(end - 4, true))) & highBits) === 0;
  }

  #plainBytes(start: number, end: number): boolean {
    let outside = 0;
    for (let index = start; index < end; index++) {
      outside |= outsidePrintable((this.#bytes[index] as number) * 0x0101_0101);
    }
    return (outside & highBits) === 0;
  }

  #cut(start: number, end: number): string {
    if (end > this.#windowEnd) {
      this.#windowStart = start;
      this.#windowEnd = Math.min(this.#bytes.length, start + windowBytes);
      this.#window = this.#buffer.toString('latin1', start, this.#windowEnd);
    }
    return this.#window.substring(start - this.#windowStart, end - this.#windowStart);
  }

  /** Reads the channel, true when it is an identifier of ASCII. Most series of a batch share one: it is cut once. */
  #plainChannel(start: number, end: number): boolean {
    const length = end - start;
    const bytes = this.#bytes;
    let same = length === this.#channel.length;
    for (let index = 0; index < length && same; index++) {
      same = bytes[start + index] === bytes[this.#channelStart + index];
    }
    if (same) {
      return true;
    }
    if (!this.#plain(start, end)) {
      return false;
    }
    this.#channelStart = start;
    this.#channel = this.#buffer.toString('latin1', start, end);
    return true;
  }

  #readSlowly(start: number, end: number, index: number): SeriesName {
    const name = this.#fields.entry(this.#number, shape, { index, start, end });
    return { meter: identifierOf(name, 1), channel: identifierOf(name, 2) };
  }
}

const highBits = 0x8080_8080 | 0;

/** Of four bytes, sets the high bit of each that is not printable ASCII (and perhaps of others, where one is not). */
function outsidePrintable(four: number): number {
  return four | (four + 0x0101_0101) | (four - 0x2020_2020);
}

function identifierOf(name: MessageFields, number: number): string {
  const text = name.text(number, nameBytesMax);
  if (!isIdentifier(text)) {
    throw name.fail(number, 'message-value', `not 1 to ${identifierCharsMax} printable characters`);
  }
  return text;
}
