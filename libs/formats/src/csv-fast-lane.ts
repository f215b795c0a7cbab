import { missingCode } from '@meterflow/readings';
import { AlikeLines } from './alike-lines.ts';
import type { CsvLayout } from './csv-layout.ts';
import { decimalMarks, plainTextEnd, StampField, TextField, ValueField, type DayOffsets } from './fast-fields.ts';
import { qualityMeant, unitMeant, type QualityMeaning } from './field-meanings.ts';
import { lineBytesMax } from './limits.ts';
import type { LocalClock } from './local-clock.ts';
import type { Mapping } from './mapping.ts';
import { fieldNames, Stretch } from './row.ts';
import { newSeries, type MeterEntry, type SeriesTable } from './series-table.ts';
import { TextTable } from './text-table.ts';

const lineFeed = 10;
const carriageReturn = 13;
const quote = 34;
const minus = 45;
// What a column holds: the place of its field in `fieldNames`.
const meterColumn = 0;
const channelColumn = 1;
const timeColumn = 2;
const endColumn = 3;
const valueColumn = 4;
const unitColumn = 5;
const qualityColumn = 6;
const ignored = fieldNames.length;
/** No byte: a revision with a decimal mark is none. */
const noMark = 256;
/** Creation times must say their offset. */
const noOffsets: DayOffsets = { dayOffsetMs: () => NaN };

export interface CsvFastLaneOptions {
  readonly mapping: Mapping;
  readonly layout: CsvLayout;
  readonly table: SeriesTable;
  readonly clock: LocalClock;
}

/**
 * Reads the usual lines straight from their bytes: no text, no object, most fields by comparing them with the line
 * before. It takes a line only where it is certain to read it as {@link RowReader} would; all others it leaves to that.
 */
export class CsvFastLane {
  /** What the lines that were read last say. */
  readonly lines: Stretch;
  readonly #table: SeriesTable;
  readonly #delimiter: number;
  /** What each column holds: an index of `fieldNames`, or `ignored`. */
  readonly #columns: Uint8Array;
  /** Undefined where the next line is never alike: it has its own interval end, or its value stands before its stamp. */
  readonly #alike: AlikeLines | undefined;
  readonly #meter: TextField<MeterEntry>;
  readonly #channel: TextField<string>;
  readonly #time: StampField;
  readonly #end: StampField;
  readonly #value: ValueField;
  readonly #unit: TextField<string>;
  readonly #quality: TextField<QualityMeaning>;
  readonly #revision: ValueField;
  readonly #created: StampField;
  readonly #versionIsTime: boolean;
  readonly #endOptional: boolean;
  readonly #versionOptional: boolean;
  #meterEntry: MeterEntry | undefined;
  #channelName: string | undefined;

  constructor({ mapping, layout, table, clock }: CsvFastLaneOptions) {
    this.lines = new Stretch(newSeries('', ''));
    this.#table = table;
    const delimiter = mapping.delimiter.charCodeAt(0);
    this.#delimiter = delimiter;
    this.#columns = columnFields(layout);
    this.#meter = new TextField(table.meters, delimiter);
    this.#channel = new TextField(table.channels, delimiter);
    this.#time = new StampField(clock);
    this.#end = new StampField(clock);
    const { decimalMark, decimalsMax } = mapping.value;
    this.#value = new ValueField(decimalMarks[decimalMark], decimalsMax);
    this.#unit = new TextField(new TextTable((text) => unitMeant(mapping, text)), delimiter);
    this.#quality = new TextField(new TextTable((text) => qualityMeant(mapping, text)), delimiter);
    this.#revision = new ValueField(noMark, 0);
    this.#created = new StampField(noOffsets);
    this.#versionIsTime = mapping.version?.kind === 'created';
    this.#endOptional = mapping.interval.end?.optional === true;
    this.#versionOptional = mapping.version?.optional === true;
    this.#setConstants(mapping, layout);
    const { time, value, end } = layout.columnOf;
    this.#alike = end < 0 && time < value ? new AlikeLines(decimalMarks[decimalMark], decimalsMax) : undefined;
  }

  /** True where lines under this mapping and layout can be read this way at all. */
  static suits(mapping: Mapping, layout: CsvLayout): boolean {
    const columns = Object.values(layout.columnOf).filter((column) => column >= 0);
    const nullNumbers = mapping.value.nullTexts.some((text) => /\d/.test(text));
    return (
      mapping.sequence === undefined &&
      mapping.time.format === 'iso' &&
      !nullNumbers &&
      mapping.delimiter !== ' ' &&
      mapping.delimiter !== mapping.value.decimalMark &&
      new Set(columns).size === columns.length
    );
  }

  /**
   * Reads the line at `start`, and those after it that differ in clock time and value alone, into {@link lines}. Returns
   * the position after them; `start` itself where the line there is left to the other way.
   */
  read(bytes: Uint8Array, view: DataView, start: number): number {
    const { lines } = this;
    lines.count = 0;
    const end = this.#readLine(bytes, view, start);
    if (end < 0 || end - start > lineBytesMax) {
      return start;
    }
    this.#fill(end);
    return this.#alike === undefined ? end : this.#readAlike(bytes, view, { start, end });
  }

  #readLine(bytes: Uint8Array, view: DataView, start: number): number {
    const last = this.#columns.length - 1;
    let position = start;
    for (let column = 0; column <= last; column++) {
      const isQuoted = bytes[position] === quote;
      const end = this.#readField(bytes, view, { column, position: isQuoted ? position + 1 : position });
      if (end < 0 || (isQuoted && bytes[end] !== quote)) {
        return -1;
      }
      const after = isQuoted ? end + 1 : end;
      position = column < last ? afterDelimiter(bytes, after, this.#delimiter) : afterLineFeed(bytes, after);
      if (position < 0) {
        return -1;
      }
    }
    return position;
  }

  /** Returns the position after the field, without quotes or delimiter. */
  #readField(bytes: Uint8Array, view: DataView, { column, position }: FieldPlace): number {
    switch (this.#columns[column] as number) {
      case meterColumn:
        return this.#meter.read(bytes, position);
      case channelColumn:
        return this.#channel.read(bytes, position);
      case timeColumn:
        return this.#time.read(bytes, view, position);
      case valueColumn:
        return this.#value.read(bytes, position);
      case unitColumn:
        return this.#unit.read(bytes, position);
      case qualityColumn:
        return this.#quality.read(bytes, position);
      case endColumn:
        return this.#readEnd(bytes, view, position);
      case ignored:
        return plainTextEnd(bytes, position, this.#delimiter);
      default:
        return this.#readVersion(bytes, view, position);
    }
  }

  #readAlike(bytes: Uint8Array, view: DataView, line: { readonly start: number; readonly end: number }): number {
    const alike = this.#alike as AlikeLines;
    const { clock, clockBytes, ms } = this.#time;
    const { lines } = this;
    // A sign would become a part of the lines that never changes.
    const isPlain = lines.quality !== missingCode && bytes[this.#value.first - 1] !== minus;
    const parts = { ...line, clock, clockBytes, number: this.#value.first, rest: this.#value.rest };
    return isPlain && alike.learn(bytes, view, { parts, ms })
      ? alike.read(bytes, view, { lines, start: line.end })
      : line.end;
  }

  /** Lets go of what the table forgot. */
  forget(): void {
    this.#meter.forget();
    this.#channel.forget();
    this.#meterEntry = undefined;
  }

  #readEnd(bytes: Uint8Array, view: DataView, position: number): number {
    if (this.#isEmpty(bytes, position)) {
      // Leaves the length to the mapping, unless the field must be there: the other way knows.
      this.lines.endMs = NaN;
      return this.#endOptional ? position : -1;
    }
    const end = this.#end.read(bytes, view, position);
    this.lines.endMs = this.#end.ms;
    return end;
  }

  #readVersion(bytes: Uint8Array, view: DataView, position: number): number {
    if (this.#isEmpty(bytes, position)) {
      this.lines.declared = 0;
      return this.#versionOptional ? position : -1;
    }
    const end = this.#versionIsTime ? this.#created.read(bytes, view, position) : this.#revision.read(bytes, position);
    this.lines.declared = this.#versionIsTime ? this.#created.ms : this.#revision.integer;
    return this.lines.declared >= 1 ? end : -1;
  }

  #isEmpty(bytes: Uint8Array, position: number): boolean {
    const byte = bytes[position];
    return byte === this.#delimiter || byte === lineFeed || byte === carriageReturn || byte === quote;
  }

  /** Makes the line that was read the first of {@link lines}. */
  #fill(end: number): void {
    const { lines } = this;
    const meter = this.#meter.entry as MeterEntry;
    const channel = this.#channel.entry as string;
    if (meter !== this.#meterEntry || channel !== this.#channelName) {
      this.#meterEntry = meter;
      this.#channelName = channel;
      lines.series = this.#table.seriesOf(meter, channel);
    }
    const quality = this.#quality.entry as QualityMeaning;
    const isMissing = quality.quality === missingCode;
    lines.unit = this.#unit.entry as string;
    lines.quality = quality.quality;
    lines.code = quality.code;
    lines.startMs[0] = this.#time.ms;
    lines.integers[0] = isMissing ? 0 : this.#value.integer;
    lines.decimals[0] = isMissing ? 0 : this.#value.decimals;
    lines.ends[0] = end;
    lines.count = 1;
  }

  /** What no column holds is the same for all lines. */
  #setConstants({ meter, channel, unit }: Mapping, { columnOf }: CsvLayout): void {
    if ('constant' in meter) {
      this.#meter.fix(meter.constant);
    }
    if ('constant' in channel) {
      this.#channel.fix(channel.constant);
    }
    if ('constant' in unit) {
      this.#unit.fix(unit.constant);
    }
    if (columnOf.quality < 0) {
      this.#quality.fix('');
    }
  }
}

interface FieldPlace {
  readonly column: number;
  readonly position: number;
}

function afterDelimiter(bytes: Uint8Array, position: number, delimiter: number): number {
  return bytes[position] === delimiter ? position + 1 : -1;
}

function afterLineFeed(bytes: Uint8Array, position: number): number {
  if (bytes[position] === lineFeed) {
    return position + 1;
  }
  return bytes[position] === carriageReturn && bytes[position + 1] === lineFeed ? position + 2 : -1;
}

function columnFields({ columnCount, columnOf }: CsvLayout): Uint8Array {
  const columns = new Uint8Array(columnCount).fill(ignored);
  fieldNames.forEach((field, index) => {
    if (columnOf[field] >= 0) {
      columns[columnOf[field]] = index;
    }
  });
  return columns;
}
