import {
  readingCount,
  readingsPerBatchMax,
  type ReadingBatch,
  type ReadingColumns,
  type SeriesName,
} from '@meterflow/readings';
import { DayGrid } from './day-grid.ts';
import type { ParameterValue } from './flow.ts';
import type { LocalDays } from './local-days.ts';
import { ObservedFacts } from './observed-facts.ts';
import { OwnReadings, type DaysBatch } from './own-readings.ts';
import { rawWindow, TextList, windowOf } from './raw-window.ts';
import { windowReadingsMax, type RawWindow, type RunDay, type SeriesRun } from './series-run.ts';

/** Raw readings of a channel over consecutive local days. */
export interface RawChannel {
  readonly channel: string;
  /** The registered length of a day, by its start; undefined: the one that most of the readings have. */
  readonly intervalMsAt: (atMs: number) => number | undefined;
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

/** How far around a day its flow looks. */
export interface DaysAround {
  readonly backDays: number;
  readonly aheadDays: number;
}

/** A channel with what is made of it once for all days. */
interface Channel {
  readonly raw: RawChannel;
  readonly observed: ObservedFacts;
  /** On the grid of an interval length, by that. */
  readonly windows: Map<number, RawWindow>;
}

/** What is told of a day's series where nobody registered it: by the days alone that its flow may look at. */
interface Observed {
  readonly unit: string;
  /** Of each channel, its own first. */
  readonly intervalsMs: readonly number[];
}

/** A series over consecutive local days with the channels that its flow reads: each of the days can be run. */
export class SeriesWindows {
  readonly #facts: SeriesFacts;
  readonly #channels: readonly Channel[];
  readonly #texts = new TextList();
  /** Its own readings on the grid of an interval length, by that. */
  readonly #own = new Map<number, OwnReadings>();

  constructor(facts: SeriesFacts, own: RawChannel, others: readonly RawChannel[]) {
    this.#facts = facts;
    this.#channels = [own, ...others].map((raw) => ({
      ...{ raw, observed: new ObservedFacts(raw.columns, facts.days), windows: new Map<number, RawWindow>() },
    }));
  }

  /**
   * The days (ascending) and those around them that their flow may look at: as many together as are alike, as one batch
   * holds, and as one run may look at. What is seen of a day is the same whichever other days there are.
   */
  runs(days: readonly number[], around: DaysAround): SeriesRun[] {
    return this.#together(days, around).flatMap((group) => {
      const observed = this.#observed(group[0] as number, around);
      const batch = this.#ownBy(observed).batchOf(group);
      return batch === undefined
        ? group.map((day) => this.run(day, around))
        : [this.#run(group, { batch, observed }, around)];
    });
  }

  /** One day alone. */
  run(day: number, around: DaysAround): SeriesRun {
    const observed = this.#observed(day, around);
    return this.#run([day], { batch: this.#ownBy(observed).batchOf([day]) as DaysBatch, observed }, around);
  }

  /** Readings of a day that no rule sees: of another length, or off the grid. */
  besideOf(day: number, around: DaysAround): ReadingBatch {
    return this.#ownBy(this.#observed(day, around)).besideOf(day);
  }

  /** Nobody sent anything of the day. */
  isEmpty(day: number): boolean {
    const own = this.#ownBy(this.#observed(day, { backDays: 0, aheadDays: 0 }));
    return own.isEmpty(day) && readingCount(own.besideOf(day)) === 0;
  }

  #run(
    days: readonly number[],
    { batch: { batch, counts }, observed }: { readonly batch: DaysBatch; readonly observed: Observed },
    { backDays, aheadDays }: DaysAround,
  ): SeriesRun {
    const { days: local, tagsAt, closedThroughMs } = this.#facts;
    const from = (days[0] as number) - backDays;
    const to = (days.at(-1) as number) + aheadDays + 1;
    return {
      batch,
      days: counts.map((count, place): RunDay => {
        const day = days[place] as number;
        return { ...count, day: day - from, tags: tagsAt(local.startMs[day] as number) };
      }),
      ...{ unit: observed.unit, intervalMs: observed.intervalsMs[0] as number, closedThroughMs },
      firstDay: local.firstDay + from,
      startMs: local.startMs.slice(from, to + 1),
      clockShifts: local.clockShifts.flatMap((shift) =>
        shift.day >= from && shift.day < to ? [{ ...shift, day: shift.day - from }] : [],
      ),
      windows: this.#windows(observed).map((window) => windowOf(window, from, to)),
    };
  }

  #observed(day: number, { backDays, aheadDays }: DaysAround): Observed {
    const [from, to] = [day - backDays, day + aheadDays + 1];
    const [own] = this.#channels as [Channel];
    const atMs = this.#facts.days.startMs[day] as number;
    return {
      unit: this.#facts.unit ?? own.observed.unit(from, to),
      intervalsMs: this.#channels.map(({ raw, observed }) => raw.intervalMsAt(atMs) ?? observed.intervalMs(from, to)),
    };
  }

  #ownBy({ intervalsMs: [intervalMs = 0] }: Observed): OwnReadings {
    let own = this.#own.get(intervalMs);
    if (own === undefined) {
      const { tenant, activation, series, days } = this.#facts;
      const [{ raw }] = this.#channels as [Channel];
      const grid = new DayGrid(days, intervalMs);
      own = new OwnReadings(raw.columns, grid, { texts: this.#texts, tenant, activation, series });
      this.#own.set(intervalMs, own);
      // Whatever texts windows name are there before the first batch takes the list.
      for (const { texts } of this.#channels.flatMap(({ raw }) => raw.columns)) {
        texts.forEach((text) => this.#texts.indexOf(text));
      }
    }
    return own;
  }

  #windows({ intervalsMs }: Observed): readonly RawWindow[] {
    return this.#channels.map(({ raw: { channel, columns }, windows }, index) => {
      const intervalMs = intervalsMs[index] as number;
      let window = windows.get(intervalMs);
      if (window === undefined) {
        window = rawWindow(columns, { channel, texts: this.#texts, grid: new DayGrid(this.#facts.days, intervalMs) });
        windows.set(intervalMs, window);
      }
      return window;
    });
  }

  #together(days: readonly number[], around: DaysAround): number[][] {
    const groups: number[][] = [];
    let readings = 0;
    let last: Seen | undefined;
    for (const day of days) {
      const group = groups.at(-1);
      const seen = this.#seen(this.#observed(day, around), last);
      const count = seen.own.count(day);
      if (
        group === undefined ||
        seen !== last ||
        readings + count > readingsPerBatchMax ||
        inSight(seen.windows, (group[0] as number) - around.backDays, day + around.aheadDays + 1) > windowReadingsMax
      ) {
        groups.push([day]);
        readings = count;
      } else {
        group.push(day);
        readings += count;
      }
      last = seen;
    }
    return groups;
  }

  /** The same as the day before, where as much is told of it. */
  #seen(observed: Observed, last: Seen | undefined): Seen {
    return last !== undefined && isAlike(observed, last.observed)
      ? last
      : { observed, own: this.#ownBy(observed), windows: this.#windows(observed) };
  }
}

/** What days with the same facts are read in. */
interface Seen {
  readonly observed: Observed;
  readonly own: OwnReadings;
  readonly windows: readonly RawWindow[];
}

/** Readings of all windows on the days [from, to). */
function inSight(windows: readonly RawWindow[], from: number, to: number): number {
  let sum = 0;
  for (const { slotsFrom, registersFrom } of windows) {
    sum += (slotsFrom[to] as number) - (slotsFrom[from] as number);
    sum += (registersFrom[to] as number) - (registersFrom[from] as number);
  }
  return sum;
}

function isAlike({ unit, intervalsMs }: Observed, other: Observed): boolean {
  return unit === other.unit && intervalsMs.every((intervalMs, channel) => intervalMs === other.intervalsMs[channel]);
}
