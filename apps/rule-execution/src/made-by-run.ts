import type { SeriesName } from '@meterflow/readings';
import type { DaysMade, KnownMade, SeriesMade } from '@meterflow/registry';
import { channelNeeds, MadeReadingsBuilder, type Activation } from '@meterflow/rules';

/** A run of one tenant's days. */
export interface TenantRun {
  readonly tenant: string;
  readonly ticket: number;
  readonly newest: Activation;
  /** All that counted so far, as far as anybody looks. */
  readonly earlier: readonly Activation[];
}

export interface RanSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly isClosed: boolean;
  /** False where nothing was to be done: nothing of it is there. */
  readonly isRun: boolean;
}

const nothingKnown: KnownMade = { spans: [], revision: 0 };

/**
 * What a run makes of the days of its series, to be written down before its output leaves. Only of days on which some flow
 * may have made a reading that nobody sent: gaps are filled in closed days alone, and each of these is run once more when it
 * is closed, so that an open day counts only where a flow emits.
 */
export class MadeByRun {
  readonly #run: TenantRun;
  readonly #daysMade: Pick<DaysMade, 'of'>;
  readonly #series = new Map<string, MadeBySeries>();

  constructor(run: TenantRun, daysMade: Pick<DaysMade, 'of'>) {
    this.#run = run;
    this.#daysMade = daysMade;
  }

  /** Reads what is written down of a series, once, after the ticket was taken. */
  of(series: SeriesName, { hasClosed }: { readonly hasClosed: boolean }): Promise<MadeBySeries> {
    const path = `${series.meter}\n${series.channel}`;
    let made = this.#series.get(path);
    if (made === undefined) {
      made = new MadeBySeries(series, this.#run.earlier);
      this.#series.set(path, made);
    }
    return made.read(() => this.#daysMade.of(this.#run.tenant, series), hasClosed);
  }

  finish(): readonly SeriesMade[] {
    const { tenant, ticket, newest } = this.#run;
    return [...this.#series.values()].flatMap((made) => {
      const { series, days, known } = made;
      const stamp = { tenant, series, activation: newest.number, ticket };
      return days.length === 0 ? [] : [{ ...stamp, days, known, made: made.readings.finish() }];
    });
  }
}

/** The same of one series. */
export class MadeBySeries {
  readonly series: SeriesName;
  readonly readings = new MadeReadingsBuilder();
  readonly days: { readonly fromMs: number; readonly toMs: number }[] = [];
  readonly #emits: boolean;
  readonly #fills: boolean;
  #known: Promise<KnownMade> | undefined;
  known = nothingKnown;

  constructor(series: SeriesName, activations: readonly Activation[]) {
    const needs = activations.map(({ flow }) => channelNeeds(flow, series));
    this.series = series;
    this.#emits = needs.some((each) => each !== undefined && each.emits.length > 0);
    this.#fills = needs.some((each) => each !== undefined);
  }

  async read(readKnown: () => Promise<KnownMade>, hasClosed: boolean): Promise<this> {
    if (this.#emits || (this.#fills && hasClosed)) {
      this.#known ??= readKnown();
      this.known = await this.#known;
    }
    return this;
  }

  /** A day that was computed whole. */
  add({ fromMs, toMs, isClosed, isRun }: RanSpan): void {
    if (isClosed ? this.#emits || this.#fills : this.#emits && isRun) {
      this.days.push({ fromMs, toMs });
    }
  }
}
