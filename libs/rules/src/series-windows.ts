import type { ReadingBatch, ReadingColumns, SeriesName } from '@meterflow/readings';
import type { ParameterValue } from './flow.ts';
import type { LocalDays } from './local-days.ts';
import { ObservedFacts } from './observed-facts.ts';
import { rawWindow, TextList, windowOf } from './raw-window.ts';
import { dayBatch } from './series-day.ts';
import type { RawWindow, SeriesRun } from './series-run.ts';

/** Raw readings of a channel over consecutive local days. */
export interface RawChannel {
  readonly channel: string;
  /** The registered length; undefined: the one that most readings of the days have that a run may look at. */
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

/** A channel with what is made of it once for all days. */
interface Channel {
  readonly raw: RawChannel;
  readonly observed: ObservedFacts;
  /** On the grid of an interval length, by that. */
  readonly windows: Map<number, RawWindow>;
}

/** A series over consecutive local days with the channels that its flow reads: each of the days can be run. */
export class SeriesWindows {
  readonly #facts: SeriesFacts;
  readonly #channels: readonly Channel[];
  readonly #texts = new TextList();

  constructor(facts: SeriesFacts, own: RawChannel, others: readonly RawChannel[]) {
    this.#facts = facts;
    this.#channels = [own, ...others].map((raw) => ({
      ...{ raw, observed: new ObservedFacts(raw.columns, facts.days), windows: new Map<number, RawWindow>() },
    }));
  }

  /**
   * The day and those around it that its flow may look at; and readings of it that no rule sees. The same whichever other
   * days there are: what nobody registered is told by the days of the run alone.
   */
  run(
    day: number,
    { backDays, aheadDays }: { readonly backDays: number; readonly aheadDays: number },
  ): { readonly run: SeriesRun; readonly others: ReadingBatch } {
    const { tenant, series, days, activation, tagsAt, closedThroughMs } = this.#facts;
    const [from, to] = [day - backDays, day + aheadDays + 1];
    const windows = this.#channels.map((channel) => windowOf(this.#window(channel, from, to), from, to));
    const [own] = this.#channels as [Channel];
    const { intervalMs } = windows[0] as RawWindow;
    const { batch, slots, others } = dayBatch(own.raw.columns, {
      ...{ tenant, series, days, day, intervalMs, activation, texts: this.#texts.texts },
    });
    const run: SeriesRun = {
      ...{ batch, slots, intervalMs, closedThroughMs, windows },
      unit: this.#facts.unit ?? own.observed.unit(from, to),
      tags: tagsAt(days.startMs[day] as number),
      day: backDays,
      firstDay: days.firstDay + from,
      startMs: days.startMs.slice(from, to + 1),
      clockShifts: days.clockShifts.flatMap((shift) =>
        shift.day >= from && shift.day < to ? [{ ...shift, day: shift.day - from }] : [],
      ),
    };
    return { run, others };
  }

  #window({ raw, observed, windows }: Channel, from: number, to: number): RawWindow {
    const { channel, columns } = raw;
    const intervalMs = raw.intervalMs ?? observed.intervalMs(from, to);
    const known = windows.get(intervalMs);
    if (known !== undefined) {
      return known;
    }
    const made = rawWindow(columns, { channel, intervalMs, days: this.#facts.days, texts: this.#texts });
    windows.set(intervalMs, made);
    return made;
  }
}
