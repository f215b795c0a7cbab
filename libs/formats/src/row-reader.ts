import { groupMeterPrefix, missingCode, readDecimal, registerChannelMark } from '@meterflow/readings';
import { qualityMeant, unitMeant } from './field-meanings.ts';
import type { LocalClock } from './local-clock.ts';
import type { Mapping } from './mapping.ts';
import type { FieldName, RowProblem, Stretch } from './row.ts';
import type { SeriesTable } from './series-table.ts';
import type { Stamp } from './iso-stamp.ts';
import { instantOf, stampReader, type StampReader } from './stamp.ts';
import { wallTime } from './wall-time.ts';

/** The text of a field, without white space at its ends; undefined where the source has no such column or field. */
export type FieldText = (field: FieldName) => string | undefined;

export interface RowReaderOptions {
  readonly mapping: Mapping;
  readonly table: SeriesTable;
  readonly clock: LocalClock;
  /** The length of intervals as far as it is known; 0 if not. */
  readonly lengthMs: number;
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
  /** Of the line read last. */
  #startIsLocal = false;
  /** Times are what the source's clocks showed, not instants. */
  readonly #isWallClock: boolean;
  readonly #readStamp: StampReader;
  readonly #readVersionStamp: StampReader = stampReader('iso');

  constructor({ mapping, table, clock, lengthMs }: RowReaderOptions) {
    this.#mapping = mapping;
    this.#table = table;
    this.#clock = clock;
    this.#lengthMs = lengthMs;
    this.#isWallClock = mapping.sequence?.wallClock !== undefined;
    this.#readStamp = stampReader(mapping.time.format);
  }

  /** Makes the stretch hold this one line; returns why it can't. Nothing is thrown: a source may be all bad lines. */
  read(text: FieldText, row: Stretch): RowProblem | undefined {
    row.count = 1;
    return (
      this.#readSeries(text, row) ??
      this.#readTime(text('time'), row) ??
      this.#readEnd(text('end'), row) ??
      this.#readQuality(text('quality') ?? '', row) ??
      this.#readValue(text('value') ?? '', row) ??
      this.#readUnit(text('unit') ?? '', row) ??
      this.#readVersion(text('version') ?? '', row)
    );
  }

  #readSeries(text: FieldText, row: Stretch): RowProblem | undefined {
    const { meter, channel } = this.#mapping;
    const meterText = 'constant' in meter ? meter.constant : (text('meter') ?? '');
    const meterEntry = meterText === '' ? undefined : this.#table.meters.findText(meterText);
    if (meterEntry === undefined) {
      return notAName('meter', meterText);
    }
    const channelText = 'constant' in channel ? channel.constant : (text('channel') ?? '');
    const channelName = channelText === '' ? undefined : this.#table.channels.findText(channelText);
    if (channelName === undefined) {
      return notAName('channel', channelText);
    }
    row.series = this.#table.seriesOf(meterEntry, channelName);
    return undefined;
  }

  #readTime(text: string | undefined, row: Stretch): RowProblem | undefined {
    const stamp = this.#readStamp(text ?? '');
    if (stamp === undefined) {
      return this.#notATime('time', text ?? '');
    }
    if (this.#isWallClock) {
      const { shownMs, offsetMs } = wallTime(stamp, this.#clock);
      row.startMs[0] = shownMs;
      row.startOffsetMs = offsetMs;
      row.tellsOffsets = !stamp.isLocal;
      return undefined;
    }
    this.#startIsLocal = stamp.isLocal;
    const instant = instantOf(stamp, this.#clock, { progress: row.series, lengthMs: this.#lengthMs });
    row.startMs[0] = instant;
    return Number.isNaN(instant) ? this.#skipped('time', text ?? '') : undefined;
  }

  #readEnd(text: string | undefined, row: Stretch): RowProblem | undefined {
    const { end } = this.#mapping.interval;
    row.endMs = NaN;
    if (end === undefined || ((text ?? '') === '' && end.optional)) {
      return undefined;
    }
    const stamp = this.#readStamp(text ?? '');
    if (stamp === undefined) {
      return this.#notATime('end', text ?? '');
    }
    if (this.#isWallClock) {
      const { shownMs, offsetMs } = wallTime(stamp, this.#clock);
      row.endMs = shownMs;
      row.endOffsetMs = offsetMs;
      row.tellsOffsets &&= !stamp.isLocal;
      return undefined;
    }
    row.endMs = this.#endOf(stamp, row);
    return Number.isNaN(row.endMs) ? this.#skipped('end', text ?? '') : undefined;
  }

  /** It is looked up beside the series' own progress, which only its starts move. */
  #endOf(stamp: Stamp, { series: { foldLocalMs, foldPass }, startMs }: Stretch): number {
    // It follows its start, whichever way the rows go.
    const progress = { foldLocalMs, foldDescends: false, foldPass };
    const endMs = instantOf(stamp, this.#clock, { progress, lengthMs: this.#lengthMs });
    return stamp.isLocal && this.#startIsLocal ? this.#clock.endMs(startMs[0] as number, endMs) : endMs;
  }

  #notATime(field: 'time' | 'end', text: string): RowProblem {
    const reason = `"${shown(text)}" is not a time (${this.#mapping.time.format})`;
    return text === '' ? missing(field) : { field, code: 'invalid-time', reason };
  }

  #skipped(field: 'time' | 'end', text: string): RowProblem {
    const reason = `"${shown(text)}" is skipped by the clocks of ${this.#mapping.time.zone}`;
    return { field, code: 'nonexistent-local-time', reason };
  }

  #readQuality(text: string, row: Stretch): RowProblem | undefined {
    const meaning = qualityMeant(this.#mapping, text);
    if (meaning === undefined) {
      return { field: 'quality', code: 'unknown-quality', reason: `"${shown(text)}" is not a quality code` };
    }
    row.quality = meaning.quality;
    row.code = meaning.code;
    return undefined;
  }

  #readValue(text: string, row: Stretch): RowProblem | undefined {
    if (row.quality === missingCode) {
      row.integers[0] = 0;
      row.decimals[0] = 0;
      return undefined;
    }
    const { nullTexts, decimalMark, decimalsMax } = this.#mapping.value;
    if (text === '' || nullTexts.some((none) => none.toLowerCase() === text.toLowerCase())) {
      const reason = text === '' ? 'there is no value' : `"${shown(text)}" means no value`;
      return { field: 'value', code: 'no-value', reason };
    }
    const decimal = readDecimal(decimalMark === ',' ? swapMark(text) : text);
    if ('code' in decimal) {
      return { field: 'value', code: decimal.code, reason: decimal.reason };
    }
    if (decimal.decimals > decimalsMax) {
      return { field: 'value', code: 'too-many-decimals', reason: `the value has more than ${decimalsMax} decimals` };
    }
    row.integers[0] = decimal.integer === 0 ? 0 : decimal.integer;
    row.decimals[0] = decimal.decimals;
    return undefined;
  }

  #readUnit(text: string, row: Stretch): RowProblem | undefined {
    const isConstant = 'constant' in this.#mapping.unit;
    const unit = isConstant || text !== '' ? unitMeant(this.#mapping, isConstant ? '' : text) : undefined;
    if (unit === undefined) {
      return text === ''
        ? missing('unit')
        : { field: 'unit', code: 'unknown-unit', reason: `"${shown(text)}" is not a unit` };
    }
    row.unit = unit;
    return undefined;
  }

  #readVersion(text: string, row: Stretch): RowProblem | undefined {
    const { version } = this.#mapping;
    row.declared = 0;
    if (version === undefined || (text === '' && version.optional)) {
      return undefined;
    }
    const isRevision = version.kind === 'revision';
    const declared = isRevision ? revision(text) : creation(this.#readVersionStamp(text));
    if (declared !== undefined) {
      row.declared = declared;
      return undefined;
    }
    if (text === '' && !isRevision) {
      return missing('version');
    }
    const what = isRevision ? 'a revision: a whole number from 1' : 'a time of creation: ISO with Z or an offset';
    return { field: 'version', code: 'invalid-version', reason: `"${shown(text)}" is not ${what}` };
  }
}

function missing(field: FieldName): RowProblem {
  return { field, code: `missing-${field}`, reason: `there is no ${field}` };
}

function notAName(field: 'meter' | 'channel', text: string): RowProblem {
  if (field === 'meter' && text.startsWith(groupMeterPrefix)) {
    return {
      field,
      code: 'invalid-meter',
      reason: `"${shown(text)}" stands for a group, which has no readings of its own`,
    };
  }
  if (field === 'channel' && text.includes(registerChannelMark)) {
    return {
      field,
      code: 'invalid-channel',
      reason: `"${shown(text)}" stands for a register, which is computed: a channel has no ${registerChannelMark}`,
    };
  }
  const reason = `"${shown(text)}" is not a ${field}: 1 to 64 printable characters`;
  return text === '' ? missing(field) : { field, code: `invalid-${field}`, reason };
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
