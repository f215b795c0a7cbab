import {
  BatchBuilder,
  missingCode,
  rawVersion,
  readingCount,
  ReadingRow,
  utcText,
  type BatchHeader,
  type ReadingBatch,
} from '@meterflow/readings';
import type { Coverage } from './coverage.ts';
import type { LocalClock } from './local-clock.ts';
import { lengthMsAt, type LengthPeriod, type RegisteredLength } from './registered-length.ts';
import type { RowProblem, RowSink, Stretch, StretchRejects } from './row.ts';
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
  /** True where nothing told it. */
  readonly lengthIsAssumed: boolean;
  /** Called once a series where the length was deduced. */
  readonly registeredMs?: ((meter: string, channel: string) => RegisteredLength | undefined) | undefined;
  /** Starts must be multiples of this since local midnight; 0: anywhere. */
  readonly gridMs: number;
  readonly clock: LocalClock;
  readonly table: SeriesTable;
  readonly coverage: Coverage;
  readonly onBatch: (batch: ReadingBatch) => void;
}

/** What the columns of a batch hold. */
const lengthMsMax = 2 ** 32 - 1;
/** Every zone's offset is a multiple of this since 1970 but for a few of the seventies, so that such grids need no zone. */
const offsetStepMs = 900_000;

/** The rules at the door: rows that keep them become batches, others their problem. Cuts batches by rows alone. */
export class Intake implements RowSink {
  /** Readings in batches that were handed over. */
  #handedOver = 0;
  readonly #options: IntakeOptions;
  readonly #builder: BatchBuilder;
  readonly #row = new ReadingRow();
  readonly #startsFromMs: number;
  readonly #startsUntilMs: number;
  readonly #labelledByEnd: boolean;
  readonly #lengthMs: number;
  readonly #registeredMs: IntakeOptions['registeredMs'];
  readonly #gridMs: number;
  readonly #gridNeedsZone: boolean;
  readonly #clock: LocalClock;
  readonly #coverage: Coverage;
  #batch = 0;
  #assumed = 0;
  /** What `#row` holds the batch's indexes of; undefined where it holds none. */
  #series: SeriesEntry | undefined;
  #unit: string | undefined;
  #code: string | undefined;
  #declared = -1;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#builder = new BatchBuilder(options.readingsPerBatch);
    this.#startsFromMs = options.startsFromMs;
    this.#startsUntilMs = options.startsUntilMs;
    this.#labelledByEnd = options.labelledByEnd;
    this.#lengthMs = options.lengthMs;
    this.#registeredMs = options.registeredMs;
    this.#gridMs = options.gridMs;
    this.#clock = options.clock;
    this.#coverage = options.coverage;
    this.#gridNeedsZone = !options.clock.isUtc && offsetStepMs % Math.max(1, options.gridMs) !== 0;
  }

  get accepted(): number {
    return this.#handedOver + this.#builder.count;
  }

  /** Those of them whose length was assumed. */
  get assumed(): number {
    return this.#assumed;
  }

  take(stretch: Stretch, reject: StretchRejects): void {
    const isAssumed = this.#options.lengthIsAssumed;
    const accepted = isAssumed ? this.accepted : 0;
    this.#take(stretch, reject);
    if (isAssumed && Number.isNaN(stretch.endMs) && isUnregistered(stretch.series)) {
      this.#assumed += this.accepted - accepted;
    }
  }

  #take(stretch: Stretch, reject: StretchRejects): void {
    const { count, endMs, startMs } = stretch;
    const lengthMs = endMs === endMs ? endMs - (startMs[0] as number) : this.#lengthMsOf(stretch.series);
    if (endMs !== endMs && stretch.series.lengths !== undefined) {
      this.#takeChanging(stretch, stretch.series.lengths, reject);
      return;
    }
    const shiftMs = this.#labelledByEnd ? lengthMs : 0;
    const gridMs = endMs === endMs ? 0 : this.#gridMs;
    stretch.from = 0;
    stretch.isRun = shiftsToRun(stretch, shiftMs, lengthMs);
    if (stretch.isRun && this.#takesRun(stretch, lengthMs, gridMs)) {
      this.#append(stretch, count, lengthMs);
      return;
    }
    for (let index = 0; index < count; index++) {
      const start = startMs[index] as number;
      if (!this.#takes(start, lengthMs) || (gridMs > 0 && !this.#isOnGrid(start))) {
        this.#append(stretch, index, lengthMs);
        stretch.from = index + 1;
        reject(index, this.#problemOf(start, lengthMs));
      }
    }
    this.#append(stretch, count, lengthMs);
  }

  /** The same of a series whose registered length changes: each interval has the one that it began under. */
  #takeChanging(stretch: Stretch, lengths: readonly LengthPeriod[], reject: StretchRejects): void {
    const { count, startMs } = stretch;
    let lengthMs = 0;
    stretch.from = 0;
    stretch.isRun = false;
    for (let index = 0; index < count; index++) {
      const stampMs = startMs[index] as number;
      const ownMs = lengthMsAt(lengths, stampMs, this.#labelledByEnd) ?? this.#lengthMs;
      if (ownMs !== lengthMs) {
        this.#append(stretch, index, lengthMs);
        lengthMs = ownMs;
      }
      const start = this.#labelledByEnd ? stampMs - lengthMs : stampMs;
      startMs[index] = start;
      if (!this.#takes(start, lengthMs)) {
        this.#append(stretch, index, lengthMs);
        stretch.from = index + 1;
        reject(index, this.#problemOf(start, lengthMs));
      }
    }
    this.#append(stretch, count, lengthMs);
  }

  /** Hands over what is left. */
  end(): void {
    this.#coverage.end();
    if (this.#builder.count > 0) {
      this.#finish();
    }
  }

  #lengthMsOf(series: SeriesEntry): number {
    return this.#registeredMs === undefined ? this.#lengthMs : this.#registeredLengthMs(series, this.#registeredMs);
  }

  #registeredLengthMs(series: SeriesEntry, registeredMs: NonNullable<IntakeOptions['registeredMs']>): number {
    if (Number.isNaN(series.lengthMs)) {
      const registered = registeredMs(series.name.meter, series.name.channel) ?? -1;
      series.lengthMs = typeof registered === 'number' ? registered : -1;
      series.lengths = typeof registered === 'number' ? undefined : registered;
    }
    return series.lengthMs < 0 ? this.#lengthMs : series.lengthMs;
  }

  /** True where all of a run is taken, which its first and last reading tell. */
  #takesRun({ startMs, count }: Stretch, lengthMs: number, gridMs: number): boolean {
    const first = startMs[0] as number;
    return (
      this.#takes(first, lengthMs) &&
      (startMs[count - 1] as number) <= this.#startsUntilMs &&
      (gridMs === 0 || (gridMs === lengthMs && !this.#gridNeedsZone && this.#isOnGrid(first)))
    );
  }

  #takes(startMs: number, lengthMs: number): boolean {
    return startMs >= this.#startsFromMs && startMs <= this.#startsUntilMs && lengthMs >= 0 && lengthMs <= lengthMsMax;
  }

  /** Why {@link take} does not take a reading. */
  #problemOf(startMs: number, lengthMs: number): RowProblem {
    if (!(startMs >= this.#startsFromMs)) {
      return { field: 'time', code: 'too-old', reason: `starts before ${utcText(this.#startsFromMs)}` };
    }
    if (startMs > this.#startsUntilMs) {
      return { field: 'time', code: 'in-the-future', reason: `starts after ${utcText(this.#startsUntilMs)}` };
    }
    if (lengthMs < 0 || lengthMs > lengthMsMax) {
      return {
        field: 'end',
        code: 'invalid-interval',
        reason: 'the interval ends before it starts or takes over 49 days',
      };
    }
    const minutes = this.#gridMs / 60_000;
    return { field: 'time', code: 'off-grid', reason: `does not start at a multiple of ${minutes} minutes` };
  }

  #isOnGrid(startMs: number): boolean {
    const gridMs = this.#gridMs;
    const localMs = this.#gridNeedsZone ? startMs + this.#clock.offsetMsAt(startMs) : startMs;
    return Math.floor(localMs / gridMs) * gridMs === localMs;
  }

  /** Appends the readings from `stretch.from` up to `to`, in as many batches as it takes. */
  #append(stretch: Stretch, to: number, lengthMs: number): void {
    const builder = this.#builder;
    const row = this.#row;
    row.lengthMs = lengthMs;
    stretch.to = to;
    if (stretch.from < to) {
      this.#coverage.add(stretch, to, lengthMs);
    }
    while (stretch.from < to) {
      this.#setShared(stretch, row);
      row.line = stretch.line + stretch.from;
      stretch.from += builder.appendStretch(row, stretch);
      if (builder.count === builder.readingsMax) {
        this.#finish();
        this.#forgetSurplus(stretch.series);
      } else if (stretch.from < to) {
        this.#finish();
      }
    }
  }

  #forgetSurplus(inWork: SeriesEntry): void {
    const { table } = this.#options;
    const { generation } = table;
    table.forgetSurplus(inWork);
    if (table.generation !== generation) {
      this.#coverage.forgetAllBut(inWork);
    }
  }

  #setShared(stretch: Stretch, row: ReadingRow): void {
    const builder = this.#builder;
    if (stretch.series !== this.#series) {
      this.#setSeries(stretch.series);
    }
    if (stretch.unit !== this.#unit) {
      this.#unit = stretch.unit;
      row.unit = builder.text(stretch.unit);
    }
    if (stretch.code !== this.#code) {
      this.#code = stretch.code;
      row.code = builder.text(stretch.code);
    }
    if (stretch.declared !== this.#declared) {
      this.#setVersion(stretch.declared);
    }
    row.quality = stretch.quality;
    row.reason = stretch.quality === missingCode ? builder.text('withdrawn') : 0;
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
    this.#handedOver += readingCount(batch);
    this.#series = undefined;
    this.#unit = undefined;
    this.#code = undefined;
    this.#declared = -1;
    this.#options.onBatch(batch);
  }
}

/** Whether its readings got a length that nothing told. */
function isUnregistered({ lengthMs, lengths }: SeriesEntry): boolean {
  return !(lengthMs >= 0) && lengths === undefined;
}

/** Makes stamps starts; true where each interval then begins where the one before it ends. */
function shiftsToRun({ startMs, count }: Stretch, shiftMs: number, lengthMs: number): boolean {
  let nextMs = (startMs[0] as number) - shiftMs;
  let isRun = lengthMs > 0;
  for (let index = 0; index < count; index++) {
    const start = (startMs[index] as number) - shiftMs;
    startMs[index] = start;
    isRun = isRun && start === nextMs;
    nextMs += lengthMs;
  }
  return isRun;
}
