import { InvalidReadingError, missingCode, parseDecimal, type Decimal } from '@meterflow/readings';
import { qualityMeant, unitMeant } from './field-meanings.ts';
import type { LocalClock } from './local-clock.ts';
import type { Mapping } from './mapping.ts';
import type { FieldName, RowProblem, Stretch } from './row.ts';
import type { SeriesEntry, SeriesTable } from './series-table.ts';
import { instantOf, stampReader, type Stamp, type StampReader } from './stamp.ts';

/** The text of a field, without white space at its ends; undefined where the source has no such column or field. */
export type FieldText = (field: FieldName) => string | undefined;

export interface RowReaderOptions {
  readonly mapping: Mapping;
  readonly table: SeriesTable;
  readonly clock: LocalClock;
  /** The length of intervals as far as it is known; 0 if not. */
  readonly lengthMs: number;
}

/** Thrown within this file: a field that says why its line is not taken. */
class FieldProblem extends Error {
  readonly problem: RowProblem;

  constructor(problem: RowProblem) {
    super(problem.reason);
    this.problem = problem;
  }
}

/**
 * Reads a line's fields as the mapping says, from text: the plain and complete way, beside which the CSV scanner has a
 * fast one for the usual cases.
 */
export class RowReader {
  readonly #mapping: Mapping;
  readonly #table: SeriesTable;
  readonly #clock: LocalClock;
  readonly #lengthMs: number;
  readonly #readStamp: StampReader;
  readonly #readVersionStamp: StampReader = stampReader('iso');

  constructor({ mapping, table, clock, lengthMs }: RowReaderOptions) {
    this.#mapping = mapping;
    this.#table = table;
    this.#clock = clock;
    this.#lengthMs = lengthMs;
    this.#readStamp = stampReader(mapping.time.format);
  }

  /** Makes the stretch hold this one line; returns why it can't. */
  read(text: FieldText, row: Stretch): RowProblem | undefined {
    try {
      row.series = this.#series(text);
      row.startMs[0] = this.#instant('time', required('time', text('time')), row.series);
      row.endMs = this.#end(text('end'), row.series);
      this.#quality(text('quality') ?? '', row);
      this.#value(text('value') ?? '', row);
      row.unit = this.#unit(text('unit'));
      row.declared = this.#declared(text('version') ?? '');
      row.count = 1;
      return undefined;
    } catch (error) {
      if (error instanceof FieldProblem) {
        return error.problem;
      }
      throw error;
    }
  }

  #series(text: FieldText): SeriesEntry {
    const { meter, channel } = this.#mapping;
    const meterText = 'constant' in meter ? meter.constant : required('meter', text('meter'));
    const meterEntry = this.#table.meters.findText(meterText) ?? notAName('meter', meterText);
    const channelText = 'constant' in channel ? channel.constant : required('channel', text('channel'));
    const channelName = this.#table.channels.findText(channelText) ?? notAName('channel', channelText);
    return this.#table.seriesOf(meterEntry, channelName);
  }

  #instant(field: 'time' | 'end', text: string, series: SeriesEntry): number {
    const stamp = this.#readStamp(text);
    if (stamp === undefined) {
      throw new FieldProblem({
        field,
        code: 'invalid-time',
        reason: `"${shown(text)}" is not a time (${this.#mapping.time.format})`,
      });
    }
    // The end of an interval is looked up beside the series' own progress, which only its starts move.
    const progress = field === 'time' ? series : { foldLocalMs: series.foldLocalMs, foldPass: series.foldPass };
    const instant = instantOf(stamp, this.#clock, { progress, lengthMs: this.#lengthMs });
    if (Number.isNaN(instant)) {
      const reason = `"${shown(text)}" is skipped by the clocks of ${this.#mapping.time.zone}`;
      throw new FieldProblem({ field, code: 'nonexistent-local-time', reason });
    }
    return instant;
  }

  #end(text: string | undefined, series: SeriesEntry): number {
    const { end } = this.#mapping.interval;
    if (end === undefined || ((text ?? '') === '' && end.optional)) {
      return NaN;
    }
    return this.#instant('end', required('end', text), series);
  }

  #quality(text: string, row: Stretch): void {
    const meaning = qualityMeant(this.#mapping, text);
    if (meaning === undefined) {
      throw new FieldProblem({
        field: 'quality',
        code: 'unknown-quality',
        reason: `"${shown(text)}" is not a quality code`,
      });
    }
    row.quality = meaning.quality;
    row.code = meaning.code;
  }

  #value(text: string, row: Stretch): void {
    if (row.quality === missingCode) {
      row.integers[0] = 0;
      row.decimals[0] = 0;
      return;
    }
    const { nullTexts, decimalMark, decimalsMax } = this.#mapping.value;
    if (text === '' || nullTexts.some((none) => none.toLowerCase() === text.toLowerCase())) {
      throw new FieldProblem({
        field: 'value',
        code: 'no-value',
        reason: text === '' ? 'there is no value' : `"${shown(text)}" means no value`,
      });
    }
    const { integer, decimals } = this.#decimal(decimalMark === ',' ? swapMark(text) : text);
    if (decimals > decimalsMax) {
      throw new FieldProblem({
        field: 'value',
        code: 'too-many-decimals',
        reason: `the value has more than ${decimalsMax} decimals`,
      });
    }
    row.integers[0] = integer === 0 ? 0 : integer;
    row.decimals[0] = decimals;
  }

  #decimal(text: string): Decimal {
    try {
      return parseDecimal(text);
    } catch (error) {
      if (error instanceof InvalidReadingError) {
        throw new FieldProblem({ field: 'value', code: error.code, reason: error.message });
      }
      throw error;
    }
  }

  #unit(text: string | undefined): string {
    const name = 'constant' in this.#mapping.unit ? '' : required('unit', text);
    const unit = unitMeant(this.#mapping, name);
    if (unit === undefined) {
      throw new FieldProblem({ field: 'unit', code: 'unknown-unit', reason: `"${shown(name)}" is not a unit` });
    }
    return unit;
  }

  #declared(text: string): number {
    const { version } = this.#mapping;
    if (version === undefined || (text === '' && version.optional)) {
      return 0;
    }
    const declared =
      version.kind === 'revision' ? revision(text) : creation(this.#readVersionStamp(required('version', text)));
    if (declared === undefined) {
      const what =
        version.kind === 'revision'
          ? 'a revision: a whole number from 1'
          : 'a time of creation: ISO with Z or an offset';
      throw new FieldProblem({ field: 'version', code: 'invalid-version', reason: `"${shown(text)}" is not ${what}` });
    }
    return declared;
  }
}

function required(field: FieldName, text: string | undefined): string {
  if (text === undefined || text === '') {
    throw new FieldProblem({ field, code: `missing-${field}`, reason: `there is no ${field}` });
  }
  return text;
}

function notAName(field: 'meter' | 'channel', text: string): never {
  const reason = `"${shown(text)}" is not a ${field}: 1 to 64 printable characters`;
  throw new FieldProblem({ field, code: `invalid-${field}`, reason });
}

/** Swaps comma and dot, so that in a decimal comma's texts a dot is as wrong as a comma elsewhere. */
function swapMark(text: string): string {
  return text.replace(/[.,]/g, (mark) => (mark === ',' ? '.' : ','));
}

function revision(text: string): number | undefined {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  return number >= 1 && Number.isSafeInteger(number) ? number : undefined;
}

function creation(stamp: Stamp | undefined): number | undefined {
  return stamp === undefined || stamp.isLocal || stamp.ms < 1 ? undefined : stamp.ms;
}

function shown(text: string): string {
  return text.slice(0, 64).replace(/[^ -~\u00a1-\uffff]/g, '?');
}
