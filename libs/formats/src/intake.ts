import {
  BatchBuilder,
  missingCode,
  rawVersion,
  ReadingRow,
  utcText,
  type BatchHeader,
  type ReadingBatch,
} from '@meterflow/readings';
import { dayMs } from './calendar.ts';
import type { LocalClock } from './local-clock.ts';
import type { ParsedRow, RowProblem, RowSink } from './row.ts';
import type { SeriesEntry, SeriesTable } from './series-table.ts';

export interface IntakeOptions {
  readonly header: BatchHeader;
  readonly readingsPerBatch: number;
  /** Declared for all readings whose line declares no version; 0 for none. */
  readonly sourceVersion: number;
  /** A reading must start within [startsFromMs, startsUntilMs]. */
  readonly startsFromMs: number;
  readonly startsUntilMs: number;
  readonly labelledByEnd: boolean;
  /** The length of intervals that no `end` tells and, where it was deduced, no registration. 0 for registers. */
  readonly lengthMs: number;
  /** Called once a series where the length was deduced. */
  readonly registeredMs?: ((meter: string, channel: string) => number | undefined) | undefined;
  /** Starts must be multiples of this since local midnight; 0: anywhere. */
  readonly gridMs: number;
  readonly clock: LocalClock;
  readonly table: SeriesTable;
  readonly onBatch: (batch: ReadingBatch) => void;
}

/** Every zone's offset is a multiple of this since 1970 but for a few of the seventies, so that such grids need no zone. */
const offsetStepMs = 900_000;

/** The rules at the door: rows that keep them become batches, others their problem. Cuts batches by rows alone. */
export class Intake implements RowSink {
  accepted = 0;
  readonly #options: IntakeOptions;
  readonly #builder: BatchBuilder;
  readonly #row = new ReadingRow();
  readonly #gridNeedsZone: boolean;
  #batch = 0;
  /** What `#row` holds the batch's indexes of; undefined where it holds none. */
  #series: SeriesEntry | undefined;
  #unit: string | undefined;
  #code: string | undefined;
  #declared = -1;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#builder = new BatchBuilder(options.readingsPerBatch);
    this.#gridNeedsZone = !options.clock.isUtc && offsetStepMs % Math.max(1, options.gridMs) !== 0;
  }

  take(parsed: ParsedRow): RowProblem | undefined {
    const lengthMs = parsed.endMs === parsed.endMs ? parsed.endMs - parsed.stampMs : this.#lengthMsOf(parsed.series);
    const startMs = this.#options.labelledByEnd ? parsed.stampMs - lengthMs : parsed.stampMs;
    const problem = this.#problemOf(parsed, startMs, lengthMs);
    if (problem !== undefined) {
      return problem;
    }
    const row = this.#row;
    row.startMs = startMs;
    row.lengthMs = lengthMs;
    this.#append(parsed, row);
    return undefined;
  }

  /** Hands over what is left. */
  end(): void {
    if (this.#builder.count > 0) {
      this.#finish();
    }
  }

  #lengthMsOf(series: SeriesEntry): number {
    const { registeredMs, lengthMs } = this.#options;
    if (registeredMs === undefined) {
      return lengthMs;
    }
    if (Number.isNaN(series.lengthMs)) {
      series.lengthMs = registeredMs(series.name.meter, series.name.channel) ?? -1;
    }
    return series.lengthMs < 0 ? lengthMs : series.lengthMs;
  }

  #problemOf(parsed: ParsedRow, startMs: number, lengthMs: number): RowProblem | undefined {
    const { startsFromMs, startsUntilMs, gridMs } = this.#options;
    if (!(startMs >= startsFromMs)) {
      return { field: 'time', code: 'too-old', reason: `starts before ${utcText(startsFromMs)}` };
    }
    if (startMs > startsUntilMs) {
      return { field: 'time', code: 'in-the-future', reason: `starts after ${utcText(startsUntilMs)}` };
    }
    if (lengthMs < 0 || lengthMs >= 2 ** 32) {
      return { field: 'end', code: 'invalid-interval', reason: 'the interval ends before it starts or takes over 49 days' };
    }
    if (gridMs > 0 && parsed.endMs !== parsed.endMs && !this.#isOnGrid(startMs, gridMs)) {
      return { field: 'time', code: 'off-grid', reason: `does not start at a multiple of ${gridMs / 60_000} minutes` };
    }
    return undefined;
  }

  #isOnGrid(startMs: number, gridMs: number): boolean {
    if (!this.#gridNeedsZone) {
      return Math.floor(startMs / gridMs) * gridMs === startMs;
    }
    const localMs = startMs + this.#options.clock.offsetMsAt(startMs);
    return (localMs % dayMs) % gridMs === 0;
  }

  #append(parsed: ParsedRow, row: ReadingRow): void {
    const builder = this.#builder;
    if (!builder.takes(parsed.integer, parsed.decimals)) {
      this.#finish();
    }
    if (parsed.series !== this.#series) {
      this.#setSeries(parsed.series);
    }
    if (parsed.unit !== this.#unit) {
      this.#unit = parsed.unit;
      row.unit = builder.text(parsed.unit);
    }
    if (parsed.code !== this.#code) {
      this.#code = parsed.code;
      row.code = builder.text(parsed.code);
    }
    if (parsed.declared !== this.#declared) {
      this.#setVersion(parsed.declared);
    }
    row.integer = parsed.integer;
    row.decimals = parsed.decimals;
    row.line = parsed.line;
    row.quality = parsed.quality;
    row.reason = parsed.quality === missingCode ? builder.text('withdrawn') : 0;
    builder.append(row);
    this.accepted += 1;
    if (builder.count === builder.readingsMax) {
      this.#finish();
      this.#options.table.forgetSurplus();
    }
  }

  #setSeries(series: SeriesEntry): void {
    if (series.batch !== this.#batch) {
      series.batch = this.#batch;
      series.index = this.#builder.addSeries(series.name);
    }
    this.#series = series;
    this.#row.series = series.index;
  }

  #setVersion(declared: number): void {
    const { sourceVersion, header } = this.#options;
    this.#declared = declared;
    const version = rawVersion(declared === 0 ? sourceVersion : declared, header.acceptedAtMs);
    this.#row.version = this.#builder.version(version);
  }

  #finish(): void {
    const batch = this.#builder.finish(this.#options.header);
    this.#batch += 1;
    this.#series = undefined;
    this.#unit = undefined;
    this.#code = undefined;
    this.#declared = -1;
    this.#options.onBatch(batch);
  }
}
