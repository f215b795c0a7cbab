import { readingsPerBatchMax, type BatchHeader, type ReadingBatch, type SeriesName } from '@meterflow/readings';
import type { Reject, Remark, RemarkCounts } from '@meterflow/receipts';
import { dayMs } from './calendar.ts';
import { Coverage } from './coverage.ts';
import { CsvSource } from './csv-source.ts';
import { Intake } from './intake.ts';
import { IntervalProbe } from './interval-probe.ts';
import { defaultIntervalMs, futureMsMax } from './limits.ts';
import { JsonRows, type JsonRow } from './json-rows.ts';
import { JsonSource } from './json-source.ts';
import { KnownRows } from './known-rows.ts';
import { LocalClock } from './local-clock.ts';
import { deducesLengths, intervalMsOf, type Mapping } from './mapping.ts';
import { NdjsonSource } from './ndjson-source.ts';
import { ProbingSource } from './probing-source.ts';
import { RejectList } from './reject-list.ts';
import { RemarkList } from './remark-list.ts';
import type { RegisteredLength } from './registered-length.ts';
import type { RowSink } from './row.ts';
import type { RowSource, RowSourceOptions } from './row-source.ts';
import { SequenceRows } from './sequence/sequence-rows.ts';
import type { SeriesEnd } from './sequence/series-end.ts';
import { SeriesTable } from './series-table.ts';
import type { Steps } from './steps.ts';

export const formats = ['csv', 'ndjson', 'json'] as const;
export type Format = (typeof formats)[number];

export interface ReaderOptions {
  readonly mapping: Mapping;
  /** Goes into every batch. `layer` is raw; `acceptedAtMs` is the acceptance's. */
  readonly header: BatchHeader;
  /** As the acceptance fixed it; {@link readingsPerBatchMax} when not given. */
  readonly readingsPerBatch?: number;
  /** Declared for all readings whose line declares no version of its own. */
  readonly sourceVersion?: number;
  /** Readings that start before are rejected; 1970 when not given. */
  readonly startsFromMs?: number;
  /** Readings that start after are rejected; {@link futureMsMax} after the acceptance when not given. */
  readonly startsUntilMs?: number;
  /**
   * The registered interval length of a series, asked once a series, and only where the mapping says `auto`: it goes
   * before what is deduced. Must give the same for every delivery of one acceptance.
   */
  readonly registeredMs?: (meter: string, channel: string) => RegisteredLength | undefined;
  /** Whether readings of a series are refused, since it is not registered; asked about once a series. Absent: none are. */
  readonly isUnknown?: (name: SeriesName) => boolean;
  /** Called during the steps, in order, with each batch as it is full. */
  readonly onBatch: (batch: ReadingBatch) => void;
  /** Called during the steps; every reject that is kept is handed over by the end of the step that met it. */
  readonly onRejects: (rejects: readonly Reject[]) => void;
  /** Called during the steps with what is noticed about lines that are taken: repeats and gaps. */
  /** Where a series stood before this source, asked once a series, and only by a mapping with a `sequence`. */
  readonly endBefore?: (name: SeriesName) => SeriesEnd | undefined;
  readonly onRemarks?: (remarks: readonly Remark[]) => void;
}

/** received = accepted + rejected. Headers, skipped and blank lines are not received. */
export interface ReaderCounts {
  readonly received: number;
  readonly accepted: number;
  readonly rejected: number;
}

/**
 * Reads one source, from its first byte to its last, into batches and rejects. The same bytes give the same batches and
 * rejects however they are cut into pushes. `push` and `end` give steps to be walked to their end, one after the other:
 * between two of them, each some milliseconds long whatever the bytes are, the caller lets others have their turn, and
 * holds back the next bytes until it has room for batches. Bytes may be reused once they are walked through. A step
 * throws {@link UnreadableSourceError} when nothing of the rest can be read; the reader is of no more use then.
 *
 * A mapping with `onBadLine: reject-source` reads like any other: whoever takes its source in reads it twice, first to
 * see that all rejected lines, if any, are `leftOut`.
 */
export interface Reader {
  push(bytes: Uint8Array): Steps;
  end(): Steps;
  readonly counts: ReaderCounts;
  /** Whole once the steps of `end` are walked: gaps may be filled until then. */
  readonly remarked: RemarkCounts;
  /** How many of the rejected lines are no bad ones: a `sequence` left them out for their place among the others. */
  readonly leftOut: number;
  /** Where each series stands at the end; empty but with a `sequence`. */
  readonly ends: readonly SeriesStand[];
}

/** Where a series stands; undefined before its first line. */
export interface SeriesStand {
  readonly name: SeriesName;
  readonly end: SeriesEnd | undefined;
}

/** Makes a reader of one source. Throws {@link UnreadableSourceError} for a mapping that the format can't use. */
export function createReader(format: Format, options: ReaderOptions): Reader {
  return new SourceReader(format, options);
}

class SourceReader implements Reader {
  readonly #options: ReaderOptions;
  readonly #clock: LocalClock;
  readonly #rejects: RejectList;
  readonly #remarks: RemarkList;
  readonly #source: RowSource;
  #intake: Intake | undefined;
  #sequence: SequenceRows | undefined;

  constructor(format: Format, options: ReaderOptions) {
    this.#options = options;
    this.#clock = new LocalClock(options.mapping.time.zone);
    this.#rejects = new RejectList(options.onRejects);
    this.#remarks = new RemarkList((remarks) => options.onRemarks?.(remarks), this.#clock);
    const Source = format === 'csv' ? CsvSource : NdjsonSource;
    this.#source = format === 'json' ? this.#documentSource() : this.#streamSource((parts) => new Source(parts));
  }

  get counts(): ReaderCounts {
    const accepted = this.#intake?.accepted ?? 0;
    const rejected = this.#rejects.count;
    return { received: accepted + rejected, accepted, rejected };
  }

  get remarked(): RemarkCounts {
    return { ...this.#remarks.counts, assumed: this.#intake?.assumed ?? 0 };
  }

  get leftOut(): number {
    return this.#rejects.leftOut;
  }

  get ends(): readonly SeriesStand[] {
    return [...(this.#sequence?.ends() ?? [])];
  }

  push(bytes: Uint8Array): Steps {
    return this.#flushed(this.#source.push(bytes));
  }

  *end(): Steps {
    yield* this.#flushed(this.#source.end());
    if (this.#sequence !== undefined) {
      yield* this.#flushed(this.#sequence.end());
    }
    this.#intake?.end();
    this.#remarks.flush();
  }

  *#flushed(steps: Steps): Steps {
    for (let isDone = false; !isDone;) {
      try {
        isDone = steps.next().done === true;
      } finally {
        this.#rejects.flush();
        this.#remarks.flush();
      }
      if (!isDone) {
        yield;
      }
    }
  }

  #streamSource(open: (parts: RowSourceOptions) => RowSource): RowSource {
    const lengthMs = this.#knownLengthMs();
    if (lengthMs !== undefined) {
      return open(this.#intakeParts(lengthMs));
    }
    return new ProbingSource({
      probe: (beginning, isWhole) =>
        this.#deduced(function* (parts) {
          const source = open(parts);
          yield* source.push(beginning);
          if (isWhole) {
            yield* source.end();
          }
        }),
      open: (deduced) => open(this.#intakeParts(deduced)),
    });
  }

  #documentSource(): RowSource {
    // Sees at once whether the mapping suits.
    new JsonRows(this.#probeParts(new IntervalProbe()));
    return new JsonSource((first, rows) => this.#documentRows(first, rows));
  }

  *#documentRows(first: readonly JsonRow[], rows: Iterable<JsonRow>): Steps {
    const lengthMs = this.#knownLengthMs() ?? (yield* this.#deduced((parts) => new JsonRows(parts).takeAll(first)));
    yield* new JsonRows(this.#intakeParts(lengthMs)).takeAll(rows);
  }

  /** Lines of a sequence tell both of their ends, or go on from each other: nothing is to be deduced. */
  #knownLengthMs(): number | undefined {
    const { mapping } = this.#options;
    return intervalMsOf(mapping) ?? (mapping.sequence === undefined ? undefined : 0);
  }

  /** Undefined where nothing tells it. */
  *#deduced(readBeginning: (parts: RowSourceOptions) => Steps): Steps<number | undefined> {
    const probe = new IntervalProbe();
    yield* readBeginning(this.#probeParts(probe));
    return probe.intervalMs;
  }

  #probeParts(sink: IntervalProbe): RowSourceOptions {
    const rejects = new RejectList(() => undefined, 0);
    return { mapping: this.#options.mapping, clock: this.#clock, sink, table: new SeriesTable(), rejects, lengthMs: 0 };
  }

  #intakeParts(known: number | undefined): RowSourceOptions {
    const lengthMs = known ?? defaultIntervalMs;
    const { mapping, header, onBatch } = this.#options;
    const table = new SeriesTable();
    const isDeduced = deducesLengths(mapping);
    const hasGrid = !isDeduced && mapping.interval.offGrid === 'reject' && dayMs % Math.max(1, lengthMs) === 0;
    this.#intake = new Intake({
      header,
      readingsPerBatch: this.#options.readingsPerBatch ?? readingsPerBatchMax,
      sourceVersion: this.#options.sourceVersion ?? 0,
      startsFromMs: this.#options.startsFromMs ?? 0,
      startsUntilMs: this.#options.startsUntilMs ?? header.acceptedAtMs + futureMsMax,
      labelledByEnd: mapping.time.label === 'end' && mapping.sequence === undefined,
      lengthMs,
      lengthIsAssumed: known === undefined,
      registeredMs: isDeduced ? this.#options.registeredMs : undefined,
      gridMs: hasGrid ? lengthMs : 0,
      clock: this.#clock,
      table,
      coverage: new Coverage(this.#remarks),
      onBatch,
    });
    const { isUnknown } = this.#options;
    const taken = this.#sequenced(mapping, this.#intake);
    const sink = isUnknown === undefined ? taken : new KnownRows(isUnknown, taken);
    return { mapping, clock: this.#clock, sink, table, rejects: this.#rejects, lengthMs };
  }

  /** Lines that say something only after those before them go through those first. */
  #sequenced({ sequence, ...mapping }: Mapping, sink: RowSink): RowSink {
    if (sequence === undefined) {
      return sink;
    }
    this.#sequence = new SequenceRows({
      mapping: { ...mapping, sequence },
      clock: this.#clock,
      endBefore: (name) => this.#options.endBefore?.(name),
      sink,
      rejects: this.#rejects,
      remarks: this.#remarks,
    });
    return this.#sequence;
  }
}
