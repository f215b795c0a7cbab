import { readingCount, readingsPerBatchMax, sliceBatch, type ReadingBatch } from '@meterflow/readings';
import { failedResult, unchangedResult } from './apply-flow-result.ts';
import { dayResult, GivenReadings, withdraw, writeDay, writeEmitted, type DayStamp } from './apply-series-result.ts';
import { channelNeeds, emitsOf, isEmittedOn } from './channel-flow.ts';
import type { Activation, Flow, SeriesNeeds } from './flow.ts';
import { madeWithin, type MadeReadingsBuilder } from './made-readings.ts';
import type { FlowResult, RuleFailure, RuleFailureCode, Sandbox } from './sandbox.ts';
import type { SeriesInputs } from './series-inputs.ts';
import { nothingEmitted, resultOfDay, type DayResult, type SeriesResult } from './series-run.ts';
import type { SeriesFacts, SeriesWindows } from './series-windows.ts';
import type { ValidatedRows } from './validated-rows.ts';

/** What a flow made of a batch or a day, as its policy says. */
export interface FlowRun<Result> {
  readonly result: Result;
  /** What becomes of the readings that rules failed on. */
  readonly onFailure: 'skip' | 'reject';
  /** Steps left out of readings because of their severity, among others: what is to be told. */
  readonly failures: readonly RuleFailure[];
}

/** Calls `run` as the flow's policy says; `failed` is the result where it fails as a whole. What it throws ends the day. */
export type RunFlow = <Result extends FlowResult>(
  flow: Flow,
  run: () => Promise<Result>,
  failed: (code: RuleFailureCode) => Result,
) => Promise<FlowRun<Result>>;

/** What the days of a series run in. */
export interface DayRunner {
  readonly sandbox: Pick<Sandbox, 'run' | 'runSeries'>;
  readonly runFlow: RunFlow;
}

/** What is the same for all days of a series in one handling. */
export interface SeriesWork {
  readonly facts: SeriesFacts;
  readonly inputs: SeriesInputs;
  /** Made of the inputs. */
  readonly windows: SeriesWindows;
  /** What counts for its readings, highest first; its version says `facts.activation`, the newest. */
  readonly activations: readonly Activation[];
  readonly ticket: number;
}

/** A day as it came out under one activation, ready to be written. */
export interface DayOutcome {
  /** Returns how many readings were rejected. `made` comes to hold what of it nobody sent. */
  readonly write: (rows: ValidatedRows, made?: MadeReadingsBuilder) => number;
  readonly failures: readonly RuleFailure[];
}

const neverClosedMs = -8.64e15;

/**
 * Runs local days of a series, one after the other or at once, each under every activation that counts for a part of it.
 * Days of one activation go through the sandbox together, when the first of them is asked for.
 */
export class SeriesDays {
  readonly #runner: DayRunner;
  readonly #work: SeriesWork;
  readonly #days: readonly number[];
  readonly #results = new Map<Activation, Map<number, () => Promise<SeriesResult>>>();

  /** `days` by their place in the work's days, ascending. */
  constructor(runner: DayRunner, work: SeriesWork, days: readonly number[]) {
    this.#runner = runner;
    this.#work = work;
    this.#days = days;
  }

  /**
   * One of the days. Nothing comes of it where nothing of it is stored while it is not closed, or before the series begins:
   * whatever told of it. Throws what `runFlow` throws.
   */
  async run(day: number): Promise<DayOutcome[]> {
    const { facts, inputs, windows, ticket } = this.#work;
    const [fromMs, toMs] = [inputs.days.startMs[day] as number, this.#endMs(day)];
    const counting = this.#counting(day);
    const outcomes: DayOutcome[] = [];
    for (const activation of counting.filter((each) => this.#isRun(each, day))) {
      const counts = (startMs: number): boolean =>
        startMs >= fromMs && startMs < toMs && counting.find(spans(startMs)) === activation;
      const stamp = { activation: facts.activation, ticket, decimals: activation.decimals, counts };
      const needs = channelNeeds(activation.flow, facts.series);
      const around = { backDays: needs?.lookBackDays ?? 0, aheadDays: needs?.lookAheadDays ?? 0 };
      const own = { batch: windows.run(day, around).batch, beside: windows.besideOf(day, around) };
      const task = { activation, work: this.#work, day, ...own };
      outcomes.push(
        needs === undefined
          ? await readingDay(this.#runner, { ...task, stamp: { ...stamp, ticket: 0 } })
          : await seriesDay(this.#runner, { ...task, stamp }, () => this.#result(activation, day)),
      );
    }
    return outcomes;
  }

  #endMs(day: number): number {
    return this.#work.inputs.days.startMs[day + 1] as number;
  }

  #isRun(activation: Activation, day: number): boolean {
    const { windows, inputs } = this.#work;
    return this.#isOver(activation, day) || !isAbsent(windows, inputs, day);
  }

  /** Whether what is missing of a day never comes: it is closed, and the series had begun, or a rule sees ahead that it does. */
  #isOver({ flow }: Activation, day: number): boolean {
    const { facts, inputs } = this.#work;
    const { lookAheadDays = 0 } = channelNeeds(flow, facts.series) ?? {};
    return this.#isClosed(day) && inputs.days.firstDay + day >= inputs.beginsOn - lookAheadDays;
  }

  #isClosed(day: number): boolean {
    return this.#endMs(day) <= this.#work.facts.closedThroughMs;
  }

  #counting(day: number): readonly Activation[] {
    const { inputs, activations } = this.#work;
    return countingWithin(activations, { fromMs: inputs.days.startMs[day] as number, toMs: this.#endMs(day) });
  }

  /** What the flow makes of a day: with all the others at first, alone where it is asked for again (a policy retries). */
  async #result(activation: Activation, day: number): Promise<SeriesResult> {
    let results = this.#results.get(activation);
    if (results === undefined) {
      const days = this.#days.filter(
        (each) => this.#counting(each).includes(activation) && this.#isRun(activation, each),
      );
      results = this.#together(activation, days);
      this.#results.set(activation, results);
    }
    const first = results.get(day) ?? this.#together(activation, [day]).get(day);
    results.delete(day);
    return (first as () => Promise<SeriesResult>)();
  }

  /** Runs start when the first of their days is asked for. */
  #together(activation: Activation, days: readonly number[]): Map<number, () => Promise<SeriesResult>> {
    const { flow } = activation;
    const { facts, windows } = this.#work;
    const { lookBackDays, lookAheadDays } = channelNeeds(flow, facts.series) as SeriesNeeds;
    // Of two that make the same reading whoever came last would count: gaps of what a rule makes are its own to fill.
    const isMade = isEmittedOn(flow, facts.series);
    const isFilled = (day: number): boolean => !isMade && (this.#isOver(activation, day) || !this.#isClosed(day));
    const results = new Map<number, () => Promise<SeriesResult>>();
    for (const filled of [false, true]) {
      const alike = days.filter((day) => isFilled(day) === filled);
      let place = 0;
      for (const open of windows.runs(alike, { backDays: lookBackDays, aheadDays: lookAheadDays })) {
        const run = filled ? open : { ...open, closedThroughMs: neverClosedMs };
        let whole: Promise<readonly DayResult[]> | undefined;
        run.days.forEach((_, each) => {
          results.set(alike[place] as number, async () => {
            whole ??= this.#runner.sandbox.runSeries(flow, run);
            return resultOfDay(await whole, each);
          });
          place += 1;
        });
      }
    }
    return results;
  }
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Those of the activations, highest first, that count for an instant of the span: what others of them halt or fail on is over. */
function countingWithin(activations: readonly Activation[], span: Span): readonly Activation[] {
  let left: readonly Span[] = [span];
  return activations.filter(({ fromMs, toMs }) => {
    const counts = left.some((each) => each.fromMs < toMs && fromMs < each.toMs);
    left = left.flatMap((each) =>
      [
        { fromMs: each.fromMs, toMs: Math.min(each.toMs, fromMs) },
        { fromMs: Math.max(each.fromMs, toMs), toMs: each.toMs },
      ].filter((part) => part.fromMs < part.toMs),
    );
    return counts;
  });
}

/** Nobody sent anything of the day, and nothing of it is stored. */
function isAbsent(windows: SeriesWindows, inputs: SeriesInputs, day: number): boolean {
  return windows.isEmpty(day) && isUnstored(inputs, day);
}

interface DayTask {
  readonly activation: Activation;
  readonly work: SeriesWork;
  readonly day: number;
  readonly batch: ReadingBatch;
  /** Readings of the day that no rule of a series flow sees. */
  readonly beside: ReadingBatch;
  readonly stamp: Omit<DayStamp, 'onFailure'>;
}

async function seriesDay({ runFlow }: DayRunner, task: DayTask, run: () => Promise<SeriesResult>): Promise<DayOutcome> {
  const { activation, work, day, batch, beside } = task;
  const failed = (code: Parameters<typeof failedResult>[1]): SeriesResult => ({
    ...failedResult(batch, code),
    emitted: nothingEmitted,
  });
  const { flow } = activation;
  const { result, onFailure, failures } = await runFlow(flow, run, failed);
  return {
    failures,
    write: (rows, made) => {
      const given = new GivenReadings(made);
      const at = { stamp: { ...task.stamp, onFailure }, given };
      const rejected = writeDay(rows, { batch, result: dayResult(result, batch) }, at);
      writeDay(rows, { batch: beside, result: unchangedResult(beside) }, at);
      const { series } = work.facts;
      writeEmitted(rows, { result, count: readingCount(batch), emits: emitsOf(flow), series }, at);
      const fills = isEmittedOn(flow, series) ? [] : [series.channel];
      const makes = [...fills, ...(channelNeeds(flow, series)?.emits ?? [])];
      const before = { stored: work.inputs.storedOf(day), made: work.inputs.madeOf(day) };
      withdraw(rows, { own: series, ...before, makes, ...at });
      return rejected === undefined ? 0 : readingCount(rejected);
    },
  };
}

/** The same readings through a reading flow: what the stream would have made of them under this activation. */
async function readingDay({ sandbox, runFlow }: DayRunner, task: DayTask): Promise<DayOutcome> {
  const { activation, work, day, batch: own, beside } = task;
  const { flow } = activation;
  const parts: { readonly batch: ReadingBatch; readonly flowRun: FlowRun<FlowResult> }[] = [];
  for (const batch of [own, beside].flatMap(batchesOf)) {
    parts.push({
      batch,
      flowRun: await runFlow(
        flow,
        () => sandbox.run(flow, batch),
        (code) => failedResult(batch, code),
      ),
    });
  }
  return {
    failures: parts.flatMap(({ flowRun }) => flowRun.failures),
    write: (rows, made) => {
      const given = new GivenReadings(made);
      let rejected = 0;
      let onFailure: DayStamp['onFailure'] = 'reject';
      for (const { batch, flowRun } of parts) {
        onFailure = flowRun.onFailure;
        const refused = writeDay(
          rows,
          { batch, result: flowRun.result },
          { stamp: { ...task.stamp, onFailure }, given },
        );
        rejected += refused === undefined ? 0 : readingCount(refused);
      }
      const before = { stored: work.inputs.storedOf(day), made: work.inputs.madeOf(day) };
      withdraw(rows, { own: work.facts.series, ...before, makes: [], stamp: { ...task.stamp, onFailure }, given });
      return rejected;
    },
  };
}

/** In batches as long as the sandbox takes. */
function batchesOf(batch: ReadingBatch): ReadingBatch[] {
  const count = readingCount(batch);
  return Array.from({ length: Math.ceil(count / readingsPerBatchMax) }, (_, part) =>
    sliceBatch(batch, part * readingsPerBatchMax, Math.min(count, (part + 1) * readingsPerBatchMax)),
  );
}

function spans(startMs: number): (activation: Activation) => boolean {
  return ({ fromMs, toMs }) => fromMs <= startMs && startMs < toMs;
}

/** Nor on its way into the store. */
function isUnstored(inputs: SeriesInputs, day: number): boolean {
  return (
    inputs.storedOf(day).every(({ columns }) => columns.length === 0) &&
    inputs.madeOf(day).every(({ made, fromMs, toMs }) => madeWithin(made, fromMs, toMs).next().done === true)
  );
}
