import { readingsPerBatchMax, type BatchHeader, type ReadingBatch } from '@meterflow/readings';
import type { Reject } from '@meterflow/receipts';
import { dayMs } from './calendar.ts';
import { CsvSource } from './csv-source.ts';
import { Intake } from './intake.ts';
import { IntervalProbe } from './interval-probe.ts';
import { defaultIntervalMs, futureMsMax } from './limits.ts';
import { LocalClock } from './local-clock.ts';
import { intervalMsOf, type Mapping } from './mapping.ts';
import { ProbingSource } from './probing-source.ts';
import { RejectList } from './reject-list.ts';
import type { RowSource, RowSourceOptions } from './row-source.ts';
import { SeriesTable } from './series-table.ts';
import { UnreadableSourceError } from './unreadable-source-error.ts';

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
  readonly registeredMs?: (meter: string, channel: string) => number | undefined;
  /** Called during `push` and `end`, in order, with each batch as it is full. */
  readonly onBatch: (batch: ReadingBatch) => void;
  /** Called during `push` and `end`; every reject is handed over before the call that met it returns. */
  readonly onRejects: (rejects: readonly Reject[]) => void;
}

/** received = accepted + rejected. Headers, skipped and blank lines are not received. */
export interface ReaderCounts {
  readonly received: number;
  readonly accepted: number;
  readonly rejected: number;
}

/**
 * Reads one source, from its first byte to its last, into batches and rejects. The same bytes give the same batches and
 * rejects however they are cut into pushes. Synchronous: the caller holds back the next bytes until it has room for
 * batches. Bytes may be reused after the call. `push` and `end` throw {@link UnreadableSourceError} when nothing of
 * the rest can be read; the reader is of no more use then.
 *
 * A mapping with `onBadLine: reject-source` reads like any other: whoever takes its source in reads it twice, first to
 * see that `counts.rejected` stays 0.
 */
export interface Reader {
  push(bytes: Uint8Array): void;
  end(): void;
  readonly counts: ReaderCounts;
}

/** Makes a reader of one source. Throws {@link UnreadableSourceError} for a mapping that the format can't use. */
export function createReader(format: Format, options: ReaderOptions): Reader {
  if (format !== 'csv') {
    throw new UnreadableSourceError('unsupported-format', `${format} can't be read`);
  }
  return new SourceReader(options);
}

class SourceReader implements Reader {
  readonly #options: ReaderOptions;
  readonly #clock: LocalClock;
  readonly #rejects: RejectList;
  readonly #source: RowSource;
  #intake: Intake | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#clock = new LocalClock(options.mapping.time.zone);
    this.#rejects = new RejectList(options.onRejects);
    const lengthMs = intervalMsOf(options.mapping);
    this.#source =
      lengthMs === undefined
        ? new ProbingSource({ probe: (beginning) => this.#probe(beginning), open: (deduced) => this.#open(deduced, true) })
        : this.#open(lengthMs, false);
  }

  get counts(): ReaderCounts {
    const accepted = this.#intake?.accepted ?? 0;
    const rejected = this.#rejects.count;
    return { received: accepted + rejected, accepted, rejected };
  }

  push(bytes: Uint8Array): void {
    this.#flushed(() => {
      this.#source.push(bytes);
    });
  }

  end(): void {
    this.#flushed(() => {
      this.#source.end();
      this.#intake?.end();
    });
  }

  #flushed(read: () => void): void {
    try {
      read();
    } finally {
      this.#rejects.flush();
    }
  }

  #probe(beginning: Uint8Array): number {
    const sink = new IntervalProbe();
    const source = this.#sourceFor({ sink, table: new SeriesTable(), rejects: new RejectList(() => undefined), lengthMs: 0 });
    source.push(beginning);
    return sink.intervalMs ?? defaultIntervalMs;
  }

  #open(lengthMs: number, isDeduced: boolean): RowSource {
    const { mapping, header, onBatch } = this.#options;
    const table = new SeriesTable();
    const gridMs = isDeduced || mapping.interval.offGrid === 'accept' || dayMs % Math.max(1, lengthMs) !== 0 ? 0 : lengthMs;
    this.#intake = new Intake({
      header,
      readingsPerBatch: this.#options.readingsPerBatch ?? readingsPerBatchMax,
      sourceVersion: this.#options.sourceVersion ?? 0,
      startsFromMs: this.#options.startsFromMs ?? 0,
      startsUntilMs: this.#options.startsUntilMs ?? header.acceptedAtMs + futureMsMax,
      labelledByEnd: mapping.time.label === 'end',
      lengthMs,
      registeredMs: isDeduced ? this.#options.registeredMs : undefined,
      gridMs,
      clock: this.#clock,
      table,
      onBatch,
    });
    return this.#sourceFor({ sink: this.#intake, table, rejects: this.#rejects, lengthMs });
  }

  #sourceFor(parts: Omit<RowSourceOptions, 'mapping' | 'clock'>): RowSource {
    return new CsvSource({ mapping: this.#options.mapping, clock: this.#clock, ...parts });
  }
}
