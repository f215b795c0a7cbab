import type { LocalClock } from './local-clock.ts';
import type { Mapping } from './mapping.ts';
import type { RejectList } from './reject-list.ts';
import type { RowSink } from './row.ts';
import type { SeriesTable } from './series-table.ts';
import type { Steps } from './steps.ts';

/** What a format makes of a source's bytes: rows for a sink, and rejects. */
export interface RowSource {
  push(bytes: Uint8Array): Steps;
  end(): Steps;
}

/** What every format is given. */
export interface RowSourceOptions {
  readonly mapping: Mapping;
  readonly table: SeriesTable;
  readonly clock: LocalClock;
  /** The length of intervals as far as it is known; 0 if not. */
  readonly lengthMs: number;
  readonly sink: RowSink;
  readonly rejects: RejectList;
}
