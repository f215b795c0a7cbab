import type { ReadingBatch, ReadingColumns, SeriesName } from '@meterflow/readings';
import type { ParameterValue } from './flow.ts';
import type { LocalDays } from './local-days.ts';
import { commonIntervalMs, commonUnit, rawWindow, TextList, windowOf } from './raw-window.ts';
import { dayBatch } from './series-day.ts';
import type { RawWindow, SeriesRun } from './series-run.ts';

/** Raw readings of a channel over consecutive local days. */
export interface RawChannel {
  readonly channel: string;
  /** The registered length; undefined: the one that most of the readings have. */
  readonly intervalMs: number | undefined;
  /** In the order of their starts; readings outside the days do no harm. */
  readonly columns: readonly ReadingColumns[];
}

export interface SeriesFacts {
  readonly tenant: string;
  readonly series: SeriesName;
  /** The registered unit. */
  readonly unit: string | undefined;
  /** What the registry says of the series at an instant; a day has those of its start. */
  readonly tagsAt: (atMs: number) => Readonly<Record<string, ParameterValue>>;
  readonly days: LocalDays;
  readonly closedThroughMs: number;
  readonly activation: number;
}

/** A series over consecutive local days with the channels that its flow reads: each of the days can be run. */
export class SeriesWindows {
  readonly #facts: SeriesFacts;
  readonly #own: RawChannel;
  readonly #intervalMs: number;
  readonly #unit: string;
  readonly #texts = new TextList();
  readonly #windows: readonly RawWindow[];

  constructor(facts: SeriesFacts, own: RawChannel, others: readonly RawChannel[]) {
    this.#facts = facts;
    this.#own = own;
    this.#intervalMs = own.intervalMs ?? commonIntervalMs(own.columns);
    const unit = facts.unit ?? commonUnit(own.columns);
    this.#unit = unit;
    this.#windows = [own, ...others].map(({ channel, intervalMs, columns }) =>
      rawWindow(columns, {
        channel,
        intervalMs: intervalMs ?? commonIntervalMs(columns),
        days: facts.days,
        texts: this.#texts,
      }),
    );
  }

  /** The day and those around it that its flow may look at; and readings of it that no rule sees. */
  run(
    day: number,
    { backDays, aheadDays }: { readonly backDays: number; readonly aheadDays: number },
  ): { readonly run: SeriesRun; readonly others: ReadingBatch } {
    const { tenant, series, days, activation, tagsAt, closedThroughMs } = this.#facts;
    const intervalMs = this.#intervalMs;
    const { texts } = this.#texts;
    const { batch, slots, others } = dayBatch(this.#own.columns, {
      ...{ tenant, series, days, day, intervalMs, activation, texts },
    });
    const from = day - backDays;
    const to = day + aheadDays + 1;
    const run: SeriesRun = {
      ...{ batch, slots, unit: this.#unit, intervalMs, closedThroughMs },
      tags: tagsAt(days.startMs[day] as number),
      day: backDays,
      firstDay: days.firstDay + from,
      startMs: days.startMs.slice(from, to + 1),
      clockShifts: days.clockShifts.flatMap((shift) =>
        shift.day >= from && shift.day < to ? [{ ...shift, day: shift.day - from }] : [],
      ),
      windows: this.#windows.map((window) => windowOf(window, from, to)),
    };
    return { run, others };
  }
}
