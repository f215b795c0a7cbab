import { calendarOf } from '@meterflow/aggregates';
import type { ReadingStore, Segment } from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import { channelNeeds, type Activation } from '@meterflow/rules';
import type { SettingsSnapshot } from '@meterflow/registry';
import type { MeasuredSandbox, SandboxCost } from './measured-sandbox.ts';
import { closedAtMs, graceMsDefault } from '../day-closer.ts';
import { batchesOf, inTurn } from './run-batches.ts';
import { daysSince, daysWork, runDays } from './run-days.ts';
import { runCounting, runFlow } from './run-flow.ts';
import { SideBySide, type Differences, type Window } from './side-by-side.ts';
import type { Tariff } from './tariff.ts';
import type { Side } from './window-sums.ts';

export interface BacktestSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface BacktestPorts {
  /** The raw layer; `after` and `before` see the same. */
  readonly readings: Pick<ReadingStore, 'read' | 'firstMs'>;
  readonly settings: SettingsSnapshot;
  readonly before: MeasuredSandbox;
  readonly after: MeasuredSandbox;
  readonly nowMs: () => number;
  readonly onProgress: (progress: BacktestProgress) => void;
  readonly signal: AbortSignal;
}

export interface BacktestPlan extends BacktestSpan {
  readonly tenant: string;
  /** What counts now in the span, highest first. */
  readonly counting: readonly Activation[];
  /** What would count in all of it. */
  readonly candidate: Activation;
  readonly series: readonly SeriesName[];
  readonly tariff: Tariff | undefined;
  readonly readingsMax: number;
  readonly msMax: number;
}

export interface BacktestProgress {
  readonly seriesDone: number;
  readonly series: number;
  readonly readings: number;
}

export interface BacktestOutcome extends Differences {
  /** What ended it before all of the sample was seen. */
  readonly endedBy: 'readings' | 'time' | undefined;
  readonly progress: BacktestProgress;
  readonly cost: Readonly<Record<Side, SandboxCost>>;
}

/** Local days of a series that are in memory at once. */
const windowDays = 64;
const progressEveryMs = 200;

/** Takes stored raw readings through what counts now and through what would, and tells what is otherwise. Writes nothing. */
export class Backtest {
  readonly #ports: BacktestPorts;
  readonly #plan: BacktestPlan;
  readonly #sides: SideBySide;
  #seriesDone = 0;
  #toldMs = 0;

  constructor(ports: BacktestPorts, plan: BacktestPlan) {
    this.#ports = ports;
    this.#plan = plan;
    this.#sides = new SideBySide(plan.tariff);
  }

  /** Throws the signal's reason where it aborts. */
  async run(): Promise<BacktestOutcome> {
    const startMs = this.#ports.nowMs();
    let endedBy: BacktestOutcome['endedBy'];
    for (const series of this.#plan.series) {
      endedBy = this.#bound(startMs);
      if (endedBy !== undefined) {
        break;
      }
      await this.#sides.ofSeries(series, () => this.#series(series));
      this.#seriesDone += 1;
      this.#tell();
    }
    return {
      ...this.#sides.differences,
      ...{ endedBy, progress: this.#progress },
      cost: { before: this.#ports.before.cost, after: this.#ports.after.cost },
    };
  }

  /** Whole series alone: a day that is half there would look as if the rule had taken the rest. */
  #bound(startMs: number): BacktestOutcome['endedBy'] {
    this.#ports.signal.throwIfAborted();
    if (this.#sides.readings >= this.#plan.readingsMax) {
      return 'readings';
    }
    return this.#ports.nowMs() - startMs > this.#plan.msMax ? 'time' : undefined;
  }

  async #series(series: SeriesName): Promise<void> {
    const { fromMs, toMs } = this.#plan;
    const settings = this.#ports.settings.of(series.meter, series.channel);
    const calendar = calendarOf(settings.timeZone);
    const endDay = calendar.dayOf(toMs - 1) + 1;
    let isBegun = false;
    for (let firstDay = calendar.dayOf(fromMs); firstDay < endDay; firstDay += windowDays) {
      this.#ports.signal.throwIfAborted();
      const days = { firstDay, endDay: Math.min(endDay, firstDay + windowDays) };
      const span = {
        fromMs: Math.max(fromMs, calendar.dayStartMs(days.firstDay)),
        toMs: Math.min(toMs, calendar.dayStartMs(days.endDay)),
      };
      if (this.#looksAtDays(series)) {
        isBegun = await this.#days({ series, settings, ...days }, isBegun);
      } else {
        await this.#batches({ series, settings, ...days }, span);
      }
      this.#tell();
    }
  }

  /** Whether either side has a rule for whole days of the series. */
  #looksAtDays(series: SeriesName): boolean {
    const { counting, candidate } = this.#plan;
    return [...counting, candidate].some(({ flow }) => channelNeeds(flow, series) !== undefined);
  }

  /** Through reading flows. */
  async #batches(window: Window, span: BacktestSpan): Promise<void> {
    const { counting, candidate, tenant } = this.#plan;
    const { before, after, readings } = this.#ports;
    const segments: readonly Segment[] = await readings.read({ tenant, ...window.series, layer: 'raw', ...span });
    if (segments.length === 0) {
      return;
    }
    const batches = segments.flatMap(({ columns }) => batchesOf(tenant, window.series, columns));
    const [had, has] = await Promise.all([
      inTurn(batches, (batch) => runCounting((flow, each) => before.run(flow, each), counting, batch)),
      inTurn(batches, (batch) => runFlow((flow, each) => after.run(flow, each), candidate, batch)),
    ]);
    this.#sides.failed('before', had);
    this.#sides.failed('after', has);
    this.#sides.compare(
      window,
      had.flatMap(({ columns }) => columns),
      has.flatMap(({ columns }) => columns),
    );
  }

  /** Through series flows, by what the stage runs days with. Returns whether something of the series was stored so far. */
  async #days(window: Window, isBegun: boolean): Promise<boolean> {
    const { tenant, fromMs, toMs, counting, candidate } = this.#plan;
    const { readings, settings, nowMs, before, after } = this.#ports;
    const { series, firstDay, endDay } = window;
    const { timeZone } = window.settings;
    const days = Array.from({ length: endDay - firstDay }, (_, index) => firstDay + index);
    const due = { series, timeZone, days };
    const closedThroughMs = closedAtMs(timeZone, nowMs(), graceMsDefault);
    const activations = [...counting, candidate];
    const work = await daysWork(readings, { tenant, due, activations, settings, closedThroughMs });
    if (work === undefined) {
      return isBegun;
    }
    const within = (each: Activation): Activation => ({
      ...each,
      fromMs: Math.max(each.fromMs, fromMs),
      toMs: Math.min(each.toMs, toMs),
    });
    const side = { days: daysSince(work.inputs, due, isBegun) };
    const [had, has] = await Promise.all([
      runDays({
        ...{ ...side, sandbox: before, failures: this.#sides.failures.before },
        work: { ...work, activations: counting.map(within) },
      }),
      runDays({
        ...{ ...side, sandbox: after, failures: this.#sides.failures.after },
        work: { ...work, activations: [within(candidate)] },
      }),
    ]);
    for (const channel of new Set([...had.keys(), ...has.keys()])) {
      const of = { ...window, series: { ...series, channel }, settings: settings.of(series.meter, channel) };
      this.#sides.compare(of, had.get(channel) ?? [], has.get(channel) ?? []);
    }
    return true;
  }

  get #progress(): BacktestProgress {
    return { seriesDone: this.#seriesDone, series: this.#plan.series.length, readings: this.#sides.readings };
  }

  #tell(): void {
    const nowMs = this.#ports.nowMs();
    if (nowMs - this.#toldMs >= progressEveryMs) {
      this.#toldMs = nowMs;
      this.#ports.onProgress(this.#progress);
    }
  }
}
