import type { ReadingColumns, SeriesName } from '@meterflow/readings';
import { Comparison, type ChangedReading } from './compare-readings.ts';
import { failuresShownMax } from './run-days.ts';
import type { FlowRun } from './run-flow.ts';
import { Bill, type Tariff } from './tariff.ts';
import { WindowSums, type Side, type WindowSum } from './window-sums.ts';

export interface ChangedSeries extends SeriesName {
  readonly readings: number;
  readonly changed: number;
}

/** What two flows make of the same readings, and where they differ. */
export interface Differences {
  readonly comparison: Comparison;
  readonly days: readonly WindowSum[];
  readonly months: readonly WindowSum[];
  /** By channel; undefined without a tariff. */
  readonly money: readonly { readonly channel: string; readonly before: string; readonly after: string }[] | undefined;
  /** Those with the most changed readings, `seriesShownMax` at most. */
  readonly changedSeries: readonly ChangedSeries[];
  readonly examples: readonly ChangedReading[];
  readonly failures: Readonly<Record<Side, FailedReadings>>;
}

/** What failed of a side; the first messages of it are kept. */
export interface FailedReadings {
  readings: number;
  readonly first: string[];
}

const seriesShownMax = 20;

/** Local days of a series. */
export type Window = Omit<Parameters<WindowSums['add']>[1], 'columns'>;

/** Collects both sides of a backtest as they are computed, and compares them. */
export class SideBySide {
  readonly failures: Readonly<Record<Side, FailedReadings>> = {
    before: { readings: 0, first: [] },
    after: { readings: 0, first: [] },
  };
  readonly #tariff: Tariff | undefined;
  readonly #comparison = new Comparison();
  readonly #sums = new WindowSums();
  readonly #bills = new Map<string, Record<Side, Bill>>();
  #changedSeries: ChangedSeries[] = [];

  constructor(tariff: Tariff | undefined) {
    this.#tariff = tariff;
  }

  /** Readings that were compared so far. */
  get readings(): number {
    return this.#comparison.readings;
  }

  get differences(): Differences {
    return {
      ...{ comparison: this.#comparison, examples: this.#comparison.shown, failures: this.failures },
      ...{ days: this.#sums.days, months: this.#sums.months, money: this.#money(), changedSeries: this.#changedSeries },
    };
  }

  /** Has the work compare what belongs to a series, and notes how much of that changed. */
  async ofSeries(series: SeriesName, work: () => Promise<void>): Promise<void> {
    const [readings, changed] = [this.#comparison.readings, this.#comparison.changed];
    await work();
    this.#note({
      ...series,
      readings: this.#comparison.readings - readings,
      changed: this.#comparison.changed - changed,
    });
  }

  compare(window: Window, had: readonly ReadingColumns[], has: readonly ReadingColumns[]): void {
    this.#side('before', window, had);
    this.#side('after', window, has);
    this.#comparison.add(window.series, had, has);
  }

  failed(side: Side, runs: readonly FlowRun[]): void {
    const failures = this.failures[side];
    for (const { failedReadings, failure } of runs) {
      failures.readings += failedReadings;
      if (failure !== undefined && failures.first.length < failuresShownMax) {
        failures.first.push(failure);
      }
    }
  }

  #side(side: Side, window: Window, columns: readonly ReadingColumns[]): void {
    this.#sums.add(side, { ...window, columns });
    const tariff = this.#tariff;
    if (tariff !== undefined) {
      const { channel } = window.series;
      const bills = this.#bills.get(channel) ?? { before: new Bill(tariff), after: new Bill(tariff) };
      this.#bills.set(channel, bills);
      columns.forEach((each) => {
        bills[side].add(each, window.settings.timeZone);
      });
    }
  }

  #money(): Differences['money'] {
    return this.#tariff === undefined
      ? undefined
      : [...this.#bills]
          .map(([channel, { before, after }]) => ({ channel, before: before.total, after: after.total }))
          .flatMap(({ channel, before, after }) =>
            before === undefined && after === undefined
              ? []
              : [{ channel, before: before ?? '0', after: after ?? '0' }],
          );
  }

  #note(series: ChangedSeries): void {
    if (series.changed > 0) {
      const most = [...this.#changedSeries, series].sort((a, b) => b.changed - a.changed);
      this.#changedSeries = most.slice(0, seriesShownMax);
    }
  }
}
