import { calendarOf } from '@meterflow/aggregates';
import type { ReadingStore, Segment } from '@meterflow/idempotent-writes';
import {
  constantRuns,
  readingsPerBatchMax,
  sliceBatch,
  type ReadingBatch,
  type ReadingColumns,
  type SeriesName,
} from '@meterflow/readings';
import { channelNeeds, type Activation } from '@meterflow/rules';
import type { SettingsSnapshot } from '@meterflow/registry';
import { Comparison, type ChangedReading } from './compare-readings.ts';
import type { MeasuredSandbox, SandboxCost } from './measured-sandbox.ts';
import { closedAtMs, graceMsDefault } from '../day-closer.ts';
import { daysSince, daysWork, failuresShownMax, runDays } from './run-days.ts';
import { runCounting, runFlow, type FlowRun } from './run-flow.ts';
import { Bill, type Tariff } from './tariff.ts';
import { WindowSums, type Side, type WindowSum } from './window-sums.ts';

export interface BacktestSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface BacktestPorts {
  /** The raw layer; `after` and `before` see the same. */
  readonly readings: Pick<ReadingStore, 'read'>;
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

export interface ChangedSeries extends SeriesName {
  readonly readings: number;
  readonly changed: number;
}

export interface BacktestOutcome {
  /** What ended it before all of the sample was seen. */
  readonly endedBy: 'readings' | 'time' | undefined;
  readonly progress: BacktestProgress;
  readonly comparison: Comparison;
  readonly days: readonly WindowSum[];
  readonly months: readonly WindowSum[];
  /** By channel; undefined without a tariff. */
  readonly money: readonly { readonly channel: string; readonly before: string; readonly after: string }[] | undefined;
  /** Those with the most changed readings, {@link seriesShownMax} at most. */
  readonly changedSeries: readonly ChangedSeries[];
  readonly examples: readonly ChangedReading[];
  readonly failures: Readonly<Record<Side, { readonly readings: number; readonly first: readonly string[] }>>;
  readonly cost: Readonly<Record<Side, SandboxCost>>;
}

export const seriesShownMax = 20;
/** Local days of a series that are in memory at once. */
const windowDays = 64;
const progressEveryMs = 200;

type Window = Omit<Parameters<WindowSums['add']>[1], 'columns'>;

/** Takes stored raw readings through what counts now and through what would, and tells what is otherwise. Writes nothing. */
export class Backtest {
  readonly #ports: BacktestPorts;
  readonly #plan: BacktestPlan;
  readonly #comparison = new Comparison();
  readonly #sums = new WindowSums();
  readonly #bills = new Map<string, Record<Side, Bill>>();
  readonly #failures = {
    before: { readings: 0, first: [] as string[] },
    after: { readings: 0, first: [] as string[] },
  };
  #changedSeries: ChangedSeries[] = [];
  #readings = 0;
  #seriesDone = 0;
  #toldMs = 0;

  constructor(ports: BacktestPorts, plan: BacktestPlan) {
    this.#ports = ports;
    this.#plan = plan;
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
      await this.#series(series);
      this.#seriesDone += 1;
      this.#tell();
    }
    return {
      ...{ endedBy, progress: this.#progress, comparison: this.#comparison },
      ...{ days: this.#sums.days, months: this.#sums.months, money: this.#money(), changedSeries: this.#changedSeries },
      examples: this.#comparison.shown,
      failures: this.#failures,
      cost: { before: this.#ports.before.cost, after: this.#ports.after.cost },
    };
  }

  /** Whole series alone: a day that is half there would look as if the rule had taken the rest. */
  #bound(startMs: number): BacktestOutcome['endedBy'] {
    this.#ports.signal.throwIfAborted();
    if (this.#readings >= this.#plan.readingsMax) {
      return 'readings';
    }
    return this.#ports.nowMs() - startMs > this.#plan.msMax ? 'time' : undefined;
  }

  async #series(series: SeriesName): Promise<void> {
    const { fromMs, toMs } = this.#plan;
    const settings = this.#ports.settings.of(series.meter, series.channel);
    const calendar = calendarOf(settings.timeZone);
    const endDay = calendar.dayOf(toMs - 1) + 1;
    const [readings, changed] = [this.#comparison.readings, this.#comparison.changed];
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
    this.#note({
      ...series,
      readings: this.#comparison.readings - readings,
      changed: this.#comparison.changed - changed,
    });
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
    this.#failed('before', had);
    this.#failed('after', has);
    this.#compare(window, columnsOf(had), columnsOf(has));
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
        ...{ ...side, sandbox: before, failures: this.#failures.before },
        work: { ...work, activations: counting.map(within) },
      }),
      runDays({
        ...{ ...side, sandbox: after, failures: this.#failures.after },
        work: { ...work, activations: [within(candidate)] },
      }),
    ]);
    for (const channel of new Set([...had.keys(), ...has.keys()])) {
      const of = { ...window, series: { ...series, channel }, settings: settings.of(series.meter, channel) };
      this.#compare(of, had.get(channel) ?? [], has.get(channel) ?? []);
    }
    return true;
  }

  #compare(window: Window, had: readonly ReadingColumns[], has: readonly ReadingColumns[]): void {
    const before = this.#comparison.readings;
    this.#side('before', window, had);
    this.#side('after', window, has);
    this.#comparison.add(window.series, had, has);
    this.#readings += this.#comparison.readings - before;
  }

  #failed(side: Side, runs: readonly FlowRun[]): void {
    const failures = this.#failures[side];
    for (const { failedReadings, failure } of runs) {
      failures.readings += failedReadings;
      if (failure !== undefined && failures.first.length < failuresShownMax) {
        failures.first.push(failure);
      }
    }
  }

  #side(side: Side, window: Window, columns: readonly ReadingColumns[]): void {
    this.#sums.add(side, { ...window, columns });
    const { tariff } = this.#plan;
    if (tariff !== undefined) {
      const { channel } = window.series;
      const bills = this.#bills.get(channel) ?? { before: new Bill(tariff), after: new Bill(tariff) };
      this.#bills.set(channel, bills);
      columns.forEach((each) => {
        bills[side].add(each, window.settings.timeZone);
      });
    }
  }

  #money(): BacktestOutcome['money'] {
    return this.#plan.tariff === undefined
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

  get #progress(): BacktestProgress {
    return { seriesDone: this.#seriesDone, series: this.#plan.series.length, readings: this.#readings };
  }

  #tell(): void {
    const nowMs = this.#ports.nowMs();
    if (nowMs - this.#toldMs >= progressEveryMs) {
      this.#toldMs = nowMs;
      this.#ports.onProgress(this.#progress);
    }
  }
}

/** So many runs wait in the sandbox at once: enough that it never waits for us. */
const aheadMax = 8;

async function inTurn<In, Out>(inputs: readonly In[], work: (input: In) => Promise<Out>): Promise<Out[]> {
  const outputs: Out[] = [];
  for (let from = 0; from < inputs.length; from += aheadMax) {
    outputs.push(...(await Promise.all(inputs.slice(from, from + aheadMax).map(work))));
  }
  return outputs;
}

function columnsOf(runs: readonly FlowRun[]): readonly ReadingColumns[] {
  return runs.flatMap(({ columns }) => columns);
}

/** Stored readings of a series as the flow gets them. */
function batchesOf(tenant: string, series: SeriesName, columns: ReadingColumns): readonly ReadingBatch[] {
  const count = columns.values.length;
  const batch: ReadingBatch = {
    ...{ tenant, layer: 'raw', sourceId: 'backtest', acceptedAtMs: 0, activation: 0 },
    ...{ series: [series], columns, firstLine: 1, lineDeltas: constantRuns(0, count) },
  };
  if (count <= readingsPerBatchMax) {
    return [batch];
  }
  return Array.from({ length: Math.ceil(count / readingsPerBatchMax) }, (_, part) =>
    sliceBatch(batch, part * readingsPerBatchMax, Math.min(count, (part + 1) * readingsPerBatchMax)),
  );
}
