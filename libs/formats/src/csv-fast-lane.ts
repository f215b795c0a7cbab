import { missingCode } from '@meterflow/readings';
import type { CsvLayout } from './csv-layout.ts';
import { decimalMarks, skipField, StampField, TextField, ValueField, type DayOffsets } from './fast-fields.ts';
import { qualityMeant, unitMeant, type QualityMeaning } from './field-meanings.ts';
import type { LocalClock } from './local-clock.ts';
import type { Mapping } from './mapping.ts';
import { fieldNames, ParsedRow } from './row.ts';
import { newSeries, type MeterEntry, type SeriesTable } from './series-table.ts';
import { TextTable } from './text-table.ts';

const lineFeed = 10;
const ignored = fieldNames.length;
const [meterField, channelField, timeField, endField, valueField, unitField, qualityField] = [0, 1, 2, 3, 4, 5, 6] as const;

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
  /** What the last line that was taken says. */
  readonly row: ParsedRow;
  readonly #table: SeriesTable;
  readonly #delimiter: number;
  /** For each column, which field it holds: an index of `fieldNames`, or `ignored`. */
  readonly #columns: Uint8Array;
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
    this.row = new ParsedRow(newSeries('', ''));
    this.#table = table;
    this.#delimiter = mapping.delimiter.charCodeAt(0);
    this.#columns = columnFields(layout);
    const after = (field: (typeof fieldNames)[number]): number =>
      layout.columnOf[field] === layout.columnCount - 1 ? lineFeed : this.#delimiter;
    this.#meter = new TextField(table.meters, after('meter'));
    this.#channel = new TextField(table.channels, after('channel'));
    this.#time = new StampField(clock, after('time'));
    this.#end = new StampField(clock, after('end'));
    const { decimalMark, decimalsMax } = mapping.value;
    this.#value = new ValueField(decimalMarks[decimalMark], decimalsMax, after('value'));
    this.#unit = new TextField(new TextTable((text) => unitMeant(mapping, text)), after('unit'));
    this.#quality = new TextField(new TextTable((text) => qualityMeant(mapping, text)), after('quality'));
    this.#revision = new ValueField(noMark, 0, after('version'));
    this.#created = new StampField(noOffsets, after('version'));
    this.#versionIsTime = mapping.version?.kind === 'created';
    this.#endOptional = mapping.interval.end?.optional === true;
    this.#versionOptional = mapping.version?.optional === true;
    this.#setConstants(mapping, layout);
  }

  /** True where lines under this mapping and layout can be read this way at all. */
  static suits(mapping: Mapping, layout: CsvLayout): boolean {
    const columns = Object.values(layout.columnOf).filter((column) => column >= 0);
    const nullNumbers = mapping.value.nullTexts.some((text) => /\d/.test(text));
    return (
      mapping.time.format === 'iso' &&
      !nullNumbers &&
      mapping.delimiter !== ' ' &&
      mapping.delimiter !== mapping.value.decimalMark &&
      new Set(columns).size === columns.length
    );
  }

  /** Reads the line that starts at `start`; returns the position after it, or -1 where it leaves it to the other way. */
  read(bytes: Uint8Array, start: number): number {
    const columns = this.#columns;
    let position = start;
    for (let column = 0; column < columns.length && position >= 0; column++) {
      switch (columns[column]) {
        case meterField:
          position = this.#meter.read(bytes, position);
          break;
        case channelField:
          position = this.#channel.read(bytes, position);
          break;
        case timeField:
          position = this.#time.read(bytes, position);
          break;
        case valueField:
          position = this.#value.read(bytes, position);
          break;
        case unitField:
          position = this.#unit.read(bytes, position);
          break;
        default:
          position = this.#readRare(bytes, position, column);
      }
    }
    return position < 0 ? -1 : this.#fill(position);
  }

  /** Lets go of what the table forgot. */
  forget(): void {
    this.#meter.forget();
    this.#channel.forget();
    this.#meterEntry = undefined;
  }

  #readRare(bytes: Uint8Array, position: number, column: number): number {
    const terminator = column === this.#columns.length - 1 ? lineFeed : this.#delimiter;
    switch (this.#columns[column]) {
      case endField:
        return this.#readEnd(bytes, position, terminator);
      case qualityField:
        return this.#quality.read(bytes, position);
      case ignored:
        return skipField(bytes, position, terminator);
      default:
        return this.#readVersion(bytes, position, terminator);
    }
  }

  /** An empty field leaves the length to the mapping, unless it must be there: the other way knows. */
  #readEnd(bytes: Uint8Array, position: number, terminator: number): number {
    if (bytes[position] === terminator) {
      this.row.endMs = NaN;
      return this.#endOptional ? position + 1 : -1;
    }
    const next = this.#end.read(bytes, position);
    this.row.endMs = this.#end.ms;
    return next;
  }

  #readVersion(bytes: Uint8Array, position: number, terminator: number): number {
    if (bytes[position] === terminator) {
      this.row.declared = 0;
      return this.#versionOptional ? position + 1 : -1;
    }
    if (this.#versionIsTime) {
      const next = this.#created.read(bytes, position);
      this.row.declared = this.#created.ms;
      return this.row.declared >= 1 ? next : -1;
    }
    const next = this.#revision.read(bytes, position);
    this.row.declared = this.#revision.integer;
    return this.row.declared >= 1 ? next : -1;
  }

  #fill(position: number): number {
    const { row } = this;
    const meter = this.#meter.entry;
    const channel = this.#channel.entry;
    if (meter !== this.#meterEntry || channel !== this.#channelName) {
      this.#meterEntry = meter;
      this.#channelName = channel;
      row.series = this.#table.seriesOf(meter as MeterEntry, channel as string);
    }
    row.stampMs = this.#time.ms;
    row.integer = this.#value.integer;
    row.decimals = this.#value.decimals;
    row.unit = this.#unit.entry as string;
    const quality = this.#quality.entry as QualityMeaning;
    row.quality = quality.quality;
    row.code = quality.code;
    if (quality.quality === missingCode) {
      row.integer = 0;
      row.decimals = 0;
    }
    return position;
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

function columnFields({ columnCount, columnOf }: CsvLayout): Uint8Array {
  const columns = new Uint8Array(columnCount).fill(ignored);
  fieldNames.forEach((field, index) => {
    if (columnOf[field] >= 0) {
      columns[columnOf[field]] = index;
    }
  });
  return columns;
}
