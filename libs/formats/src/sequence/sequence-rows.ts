import { missingCode, type SeriesName } from '@meterflow/readings';
import { costlyLinesPerStep, descendingLinesMax, seriesRememberedMax } from '../limits.ts';
import { LocalClock } from '../local-clock.ts';
import { intervalMsOf, type Mapping } from '../mapping.ts';
import type { RejectList } from '../reject-list.ts';
import type { RemarkList } from '../remark-list.ts';
import { Stretch, type RowProblem, type RowSink, type StretchRejects } from '../row.ts';
import { newSeries, type SeriesEntry } from '../series-table.ts';
import type { Steps } from '../steps.ts';
import { UnreadableSourceError } from '../unreadable-source-error.ts';
import type { SequenceSettings } from './sequence-settings.ts';
import {
  sequenceStep,
  type SequenceLine,
  type SequenceOutcome,
  type SequenceReading,
  type SequenceRules,
} from './sequence-step.ts';
import type { SeriesEnd } from './series-end.ts';

export interface SequenceRowsOptions {
  readonly mapping: Mapping & { readonly sequence: SequenceSettings };
  readonly clock: LocalClock;
  /** Where a series stood before this source; asked once a series. */
  readonly endBefore: (name: SeriesName) => SeriesEnd | undefined;
  readonly sink: RowSink;
  readonly rejects: RejectList;
  readonly remarks: RemarkList;
}

/** A series that comes in. */
interface Progress {
  readonly name: SeriesName;
  end: SeriesEnd | undefined;
  /** Lines of it so far. */
  lines: number;
}

/** A line with what all of its readings share. */
interface SharedLine {
  readonly line: number;
  readonly series: SeriesEntry;
  readonly read: SequenceLine;
  readonly shared: Pick<Stretch, 'quality' | 'code' | 'unit' | 'declared'>;
}

/** A line that waits for those that stand after it, which are earlier. */
interface Waiting extends SharedLine {
  /** Undefined until those are read, and of repeats. */
  outcome?: Outcome;
}

type Outcome = Pick<SequenceOutcome, 'readings' | 'problem' | 'remarks'>;

/** Between the lines and the rules at the door: lines of a series one after the other, each made a reading by those before it. */
export class SequenceRows implements RowSink {
  readonly #options: SequenceRowsOptions;
  readonly #settings: SequenceSettings;
  readonly #rules: SequenceRules;
  /** 0 where each line tells both of its ends, or none but the last. */
  readonly #lengthMs: number;
  readonly #series = new Map<SeriesEntry, Progress>();
  readonly #out = new Stretch(newSeries('', ''));
  #waiting: Waiting[] = [];

  constructor(options: SequenceRowsOptions) {
    const { mapping, clock } = options;
    this.#options = options;
    this.#settings = mapping.sequence;
    const { wallClock } = mapping.sequence;
    this.#lengthMs = intervalMsOf(mapping) ?? 0;
    this.#rules = {
      settings: mapping.sequence,
      evened: wallClock?.changes === 'evened' ? new LocalClock(wallClock.zone) : undefined,
      localMs: wallClock === undefined ? (ms) => ms + clock.offsetMsAt(ms) : (ms) => ms,
    };
  }

  /** Where each series that came stands now. */
  *ends(): Generator<{ readonly name: SeriesName; readonly end: SeriesEnd | undefined }> {
    for (const { name, end } of this.#series.values()) {
      yield { name, end };
    }
  }

  take(stretch: Stretch, reject: StretchRejects): void {
    const { line, series, quality, code, unit, declared } = stretch;
    if (!this.#series.has(series)) {
      this.#begin(series);
    }
    const shared = { line, series, read: this.#lineOf(stretch), shared: { quality, code, unit, declared } };
    if (this.#settings.order === 'descending') {
      this.#keep(shared);
      return;
    }
    const outcome = this.#outcomeOf(shared);
    if (outcome !== undefined) {
      this.#give(shared, outcome, (problem) => {
        reject(0, problem);
      });
    }
  }

  /** Takes what waits, once no more comes: read from the earliest on, handed over in the order of the lines. */
  *end(): Steps {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let index = waiting.length - 1; index >= 0; index--) {
      const line = waiting[index] as Waiting;
      const outcome = this.#outcomeOf(line);
      if (outcome !== undefined) {
        line.outcome = outcome;
      }
      if (index % costlyLinesPerStep === 0) {
        yield;
      }
    }
    for (const [index, { outcome, ...line }] of waiting.entries()) {
      if (outcome !== undefined) {
        this.#give(line, outcome, (problem) => {
          this.#options.rejects.add({ line: line.line, column: '', problem, text: () => '' });
        });
      }
      if (index % costlyLinesPerStep === 0) {
        yield;
      }
    }
  }

  #keep(line: SharedLine): void {
    if (this.#waiting.length === descendingLinesMax) {
      throw new UnreadableSourceError(
        'too-many-descending-lines',
        `more than ${descendingLinesMax} lines stand in descending order: cut the source, or sort it`,
      );
    }
    this.#waiting.push({ ...line });
  }

  #begin(series: SeriesEntry): void {
    if (this.#series.size === seriesRememberedMax) {
      const reason = `lines that go on from one to the next come from more than ${seriesRememberedMax} series`;
      throw new UnreadableSourceError('too-many-series', `${reason}: cut the source by series`);
    }
    this.#series.set(series, { name: series.name, end: this.#options.endBefore(series.name), lines: 0 });
  }

  #lineOf({ startMs, endMs, integers, decimals, startOffsetMs, endOffsetMs, tellsOffsets }: Stretch): SequenceLine {
    const stampMs = startMs[0] as number;
    const isEnd = this.#settings.stamps === 'end-only' || this.#options.mapping.time.label === 'end';
    const offsets = Number.isNaN(endMs)
      ? { startOffsetMs, endOffsetMs: startOffsetMs, tellsOffsets }
      : { startOffsetMs, endOffsetMs, tellsOffsets };
    const value = { integer: integers[0] as number, decimals: decimals[0] as number };
    if (!Number.isNaN(endMs)) {
      return { ...value, ...offsets, startMs: stampMs, endMs };
    }
    if (this.#settings.stamps === 'end-only') {
      return { ...value, ...offsets, startMs: NaN, endMs: stampMs };
    }
    const start = isEnd ? stampMs - this.#lengthMs : stampMs;
    return { ...value, ...offsets, startMs: start, endMs: start + this.#lengthMs };
  }

  /** What becomes of a line after those before it; undefined for a repeat. */
  #outcomeOf({ series, read, shared }: SharedLine): Outcome | undefined {
    const progress = this.#series.get(series) as Progress;
    progress.lines += 1;
    if ((progress.lines - 1) % this.#settings.repeats !== 0) {
      return undefined;
    }
    if (shared.quality === missingCode) {
      return { readings: [read], remarks: [] };
    }
    const { end, ...outcome } = sequenceStep(read, progress.end, this.#rules);
    progress.end = end;
    return outcome;
  }

  #give(line: SharedLine, { readings, problem, remarks }: Outcome, reject: (problem: RowProblem) => void): void {
    if (problem !== undefined) {
      reject(problem);
    }
    for (const remark of remarks) {
      this.#options.remarks.note(line.series.name, { ...remark, line: line.line });
    }
    for (const reading of readings) {
      this.#hand(line, reading, reject);
    }
  }

  #hand({ line, series, shared }: SharedLine, reading: SequenceReading, reject: (problem: RowProblem) => void): void {
    const out = Object.assign(this.#out, shared);
    out.line = line;
    out.series = series;
    out.count = 1;
    out.startMs[0] = reading.startMs;
    out.endMs = reading.endMs;
    out.integers[0] = reading.integer === 0 ? 0 : reading.integer;
    out.decimals[0] = reading.decimals;
    this.#options.sink.take(out, (_index, problem) => {
      reject(problem);
    });
  }
}
