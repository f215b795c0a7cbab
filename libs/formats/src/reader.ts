import { readingsPerBatchMax, type BatchHeader, type ReadingBatch } from '@meterflow/readings';
import type { Reject, Remark, RemarkCounts } from '@meterflow/receipts';
import { dayMs } from './calendar.ts';
import { Coverage } from './coverage.ts';
import { CsvSource } from './csv-source.ts';
import { Intake } from './intake.ts';
import { IntervalProbe } from './interval-probe.ts';
import { defaultIntervalMs, futureMsMax, probeRowsMax } from './limits.ts';
import { JsonRows, type JsonRow } from './json-rows.ts';
import { JsonSource } from './json-source.ts';
import { LocalClock } from './local-clock.ts';
import { intervalMsOf, type Mapping } from './mapping.ts';
import { NdjsonSource } from './ndjson-source.ts';
import { ProbingSource } from './probing-source.ts';
import { RejectList } from './reject-list.ts';
import { RemarkList } from './remark-list.ts';
import type { RowSource, RowSourceOptions } from './row-source.ts';
import { SeriesTable } from './series-table.ts';

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
  /** Called during `push` and `end` with what is noticed about lines that are taken: repeats and gaps. */
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
  /** Whole once `end` was called: gaps may be filled until then. */
  readonly remarked: RemarkCounts;
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

  constructor(format: Format, options: ReaderOptions) {
    this.#options = options;
    this.#clock = new LocalClock(options.mapping.time.zone);
    this.#rejects = new RejectList(options.onRejects);
    this.#remarks = new RemarkList((remarks) => options.onRemarks?.(remarks));
    const Source = format === 'csv' ? CsvSource : NdjsonSource;
    this.#source = format === 'json' ? this.#documentSource() : this.#streamSource((parts) => new Source(parts));
  }

  get counts(): ReaderCounts {
    const accepted = this.#intake?.accepted ?? 0;
    const rejected = this.#rejects.count;
    return { received: accepted + rejected, accepted, rejected };
  }

  get remarked(): RemarkCounts {
    return this.#remarks.counts;
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
      this.#remarks.flush();
    }
  }

  #streamSource(open: (parts: RowSourceOptions) => RowSource): RowSource {
    const lengthMs = intervalMsOf(this.#options.mapping);
    if (lengthMs !== undefined) {
      return open(this.#intakeParts(lengthMs));
    }
    return new ProbingSource({
      probe: (beginning, isWhole) =>
        this.#deduced((parts) => {
          const source = open(parts);
          source.push(beginning);
          if (isWhole) {
            source.end();
          }
        }),
      open: (deduced) => open(this.#intakeParts(deduced)),
    });
  }

  #documentSource(): RowSource {
    // Sees at once whether the mapping suits.
    new JsonRows(this.#probeParts(new IntervalProbe()));
    return new JsonSource((rows) => {
      const feed = (parts: RowSourceOptions, some: readonly JsonRow[]): void => {
        const taker = new JsonRows(parts);
        some.forEach((row) => {
          taker.take(row);
        });
      };
      const lengthMs =
        intervalMsOf(this.#options.mapping) ??
        this.#deduced((parts) => {
          feed(parts, rows.slice(0, probeRowsMax));
        });
      feed(this.#intakeParts(lengthMs), rows);
    });
  }

  #deduced(readBeginning: (parts: RowSourceOptions) => void): number {
    const probe = new IntervalProbe();
    readBeginning(this.#probeParts(probe));
    return probe.intervalMs ?? defaultIntervalMs;
  }

  #probeParts(sink: IntervalProbe): RowSourceOptions {
    const rejects = new RejectList(() => undefined);
    return { mapping: this.#options.mapping, clock: this.#clock, sink, table: new SeriesTable(), rejects, lengthMs: 0 };
  }

  #intakeParts(lengthMs: number): RowSourceOptions {
    const { mapping, header, onBatch } = this.#options;
    const table = new SeriesTable();
    const isDeduced = mapping.interval.length === 'auto';
    const hasGrid = !isDeduced && mapping.interval.offGrid === 'reject' && dayMs % Math.max(1, lengthMs) === 0;
    this.#intake = new Intake({
      header,
      readingsPerBatch: this.#options.readingsPerBatch ?? readingsPerBatchMax,
      sourceVersion: this.#options.sourceVersion ?? 0,
      startsFromMs: this.#options.startsFromMs ?? 0,
      startsUntilMs: this.#options.startsUntilMs ?? header.acceptedAtMs + futureMsMax,
      labelledByEnd: mapping.time.label === 'end',
      lengthMs,
      registeredMs: isDeduced ? this.#options.registeredMs : undefined,
      gridMs: hasGrid ? lengthMs : 0,
      clock: this.#clock,
      table,
      coverage: new Coverage(this.#remarks),
      onBatch,
    });
    return { mapping, clock: this.#clock, sink: this.#intake, table, rejects: this.#rejects, lengthMs };
  }
}
