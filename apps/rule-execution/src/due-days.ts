import { calendarOf } from '@meterflow/aggregates';
import type { SeriesName, StoredNotice } from '@meterflow/readings';
import { channelNeeds, matchesChannel, takesSeries, type Activation, type DueDays } from '@meterflow/rules';

/** What makes a notice's days due. */
export interface DueRequest {
  readonly notices: readonly StoredNotice[];
  /** All that may count for any reading, highest first. */
  readonly activations: readonly Activation[];
  /** All that counted so far, as far as anybody looks: what they filled before a series begins is to be withdrawn. */
  readonly earlier: readonly Activation[];
  readonly zoneOf: (series: SeriesName) => string;
  /** The notices say that days are closed, not that something was stored: these days alone are due. */
  readonly isClosing: boolean;
}

/**
 * The days that notices of raw readings make due: in a series flow a change at t dirties t − look-ahead … t + look-back,
 * also of channels that read the changed one; in a reading flow the days touched, where the batch was stamped lower
 * than an activation that counts for them. An activation makes days due that it counts for, wherever the change is.
 */
export function dueDays({ notices, activations, earlier, zoneOf, isClosing }: DueRequest): DueDays[] {
  const due = new DueSet(zoneOf);
  for (const { touched, activation: stamp } of notices) {
    touched.index.forEach((index, row) => {
      const changed = touched.series[index] as SeriesName;
      const span = { fromMs: touched.fromMs[row] as number, toMs: touched.toMs[row] as number };
      for (const activation of activations) {
        const needs = channelNeeds(activation.flow, changed);
        if (isClosing) {
          due.add(changed, span, { activation, backDays: 0, aheadDays: 0, isDue: needs !== undefined });
          continue;
        }
        const isOlder = stamp < activation.number;
        const counts = activation.fromMs < span.toMs && span.fromMs < activation.toMs;
        due.add(changed, span, {
          activation,
          backDays: needs?.lookBackDays ?? 0,
          aheadDays: isOlder ? aheadDaysEver([activation, ...earlier], changed) : (needs?.lookAheadDays ?? 0),
          isDue: needs !== undefined || (counts && isOlder),
        });
        readersOf(activation, changed).forEach(({ series, backDays, aheadDays }) => {
          due.add(series, span, { activation, backDays, aheadDays, isDue: true });
        });
      }
    });
  }
  return due.list();
}

function aheadDaysEver(activations: readonly Activation[], series: SeriesName): number {
  return Math.max(...activations.map(({ flow }) => channelNeeds(flow, series)?.lookAheadDays ?? 0));
}

/** The series of the same meter whose flows read the changed channel. A rule that reads others names its own channel. */
function readersOf(
  { flow }: Activation,
  changed: SeriesName,
): readonly { readonly series: SeriesName; readonly backDays: number; readonly aheadDays: number }[] {
  return flow.steps.flatMap((step) => {
    const { rule, channels } = step;
    const series = { meter: changed.meter, channel: channels };
    const isReader = rule.series?.reads.includes(changed.channel) === true && !channels.includes('*');
    if (rule.series === undefined || !isReader || !takesSeries(step, series)) {
      return [];
    }
    const { lookBackDays: backDays, lookAheadDays: aheadDays } = rule.series;
    return [{ series, backDays, aheadDays }];
  });
}

/** Whether any step of the activations looks at whole days of a channel, or reads it. */
export function hasSeriesFlow(activations: readonly Activation[], channels: readonly string[]): boolean {
  return activations.some(({ flow }) =>
    flow.steps.some(
      ({ rule: { series }, channels: pattern }) =>
        series !== undefined &&
        channels.some((channel) => matchesChannel(pattern, channel) || series.reads.includes(channel)),
    ),
  );
}

/** How far around a change an activation makes days due. */
interface Dirtied {
  readonly activation: Activation;
  readonly backDays: number;
  readonly aheadDays: number;
}

class DueSet {
  readonly #zoneOf: (series: SeriesName) => string;
  readonly #series = new Map<string, { series: SeriesName; timeZone: string; days: Set<number> }>();

  constructor(zoneOf: (series: SeriesName) => string) {
    this.#zoneOf = zoneOf;
  }

  add(
    series: SeriesName,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
    { activation, backDays, aheadDays, isDue }: Dirtied & { readonly isDue: boolean },
  ): void {
    if (!isDue) {
      return;
    }
    const path = `${series.meter}\n${series.channel}`;
    let known = this.#series.get(path);
    if (known === undefined) {
      known = { series, timeZone: this.#zoneOf(series), days: new Set() };
      this.#series.set(path, known);
    }
    const calendar = calendarOf(known.timeZone);
    let first = calendar.dayOf(fromMs) - aheadDays;
    let last = calendar.dayOf(Math.max(fromMs, toMs - 1)) + backDays;
    if (activation.fromMs > calendar.dayStartMs(first)) {
      first = calendar.dayOf(activation.fromMs);
    }
    if (activation.toMs < calendar.dayStartMs(last + 1)) {
      last = calendar.dayOf(activation.toMs - 1);
    }
    for (let day = first; day <= last; day++) {
      known.days.add(day);
    }
  }

  /** By series and day, whatever the order of the notices. */
  list(): DueDays[] {
    return [...this.#series]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { series, timeZone, days }]) => ({ series, timeZone, days: [...days].sort((a, b) => a - b) }));
  }
}
