import type { SeriesEntry } from './series-table.ts';

/** The parts of a reading that a mapping finds columns for. `line` stands for the line as a whole. */
export const fieldNames = ['meter', 'channel', 'time', 'end', 'value', 'unit', 'quality', 'version'] as const;
export type FieldName = (typeof fieldNames)[number];

/** Why a line is not taken. `code` is stable. */
export interface RowProblem {
  readonly field: FieldName | 'line';
  readonly code: string;
  readonly reason: string;
}

/** Lines that are handed over at once. */
export const stretchLinesMax = 512;

/**
 * Consecutive lines in parsed form that share all but their stamps and values: one series, one unit, one quality. A
 * parser keeps one and fills it anew.
 */
export class Stretch {
  /** The number of the first line. */
  line = 0;
  /** How many lines it holds. */
  count = 0;
  /** Each stamp as an instant: start or end of the interval, as the mapping says. Whoever takes it makes it the start. */
  readonly startMs = new Float64Array(stretchLinesMax);
  readonly integers = new Float64Array(stretchLinesMax);
  readonly decimals = new Uint8Array(stretchLinesMax);
  /** Where each line ends in the bytes that it was read from, for parsers that need it. */
  readonly ends = new Float64Array(stretchLinesMax);
  series: SeriesEntry;
  /** What the clocks of the stamps are ahead of UTC, where they are stamps of a wall clock: of the start, of the end. */
  startOffsetMs = 0;
  endOffsetMs = 0;
  /** … and whether the stamps themselves tell it. */
  tellsOffsets = false;
  /** The interval's end where a column tells it, then of a single line; else NaN. */
  endMs = NaN;
  quality = 0;
  /** The source's own quality code. */
  code = '';
  unit = '';
  /** The provider's revision or creation time; 0 where it declares none. */
  declared = 0;
  /** For whoever takes it: the lines in work. */
  from = 0;
  to = 0;
  /** … and whether each interval begins where the one before it ends. */
  isRun = false;

  constructor(series: SeriesEntry) {
    this.series = series;
  }
}

/** Is told which lines of a stretch are not taken. */
export type StretchRejects = (index: number, problem: RowProblem) => void;

/** Takes parsed lines, each stretch only for the duration of the call. */
export interface RowSink {
  take(stretch: Stretch, reject: StretchRejects): void;
}
