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

/** One line in parsed form. A parser keeps one and fills it anew for each line. */
export class ParsedRow {
  line = 0;
  series: SeriesEntry;
  /** The stamp as an instant: start or end of the interval, as the mapping says. */
  stampMs = 0;
  /** The interval's end where a column tells it; else NaN. */
  endMs = NaN;
  integer = 0;
  decimals = 0;
  quality = 0;
  /** The source's own quality code. */
  code = '';
  unit = '';
  /** The provider's revision or creation time; 0 where it declares none. */
  declared = 0;

  constructor(series: SeriesEntry) {
    this.series = series;
  }
}

/** Takes parsed rows one by one, each only for the duration of the call. */
export interface RowSink {
  /** Returns why the row is not taken; undefined when it is. */
  take(row: ParsedRow): RowProblem | undefined;
}
