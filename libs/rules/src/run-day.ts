import { readingCount, readingsPerBatchMax, sliceBatch, type ReadingBatch } from '@meterflow/readings';
import { failedResult, unchangedResult } from './apply-flow-result.ts';
import { dayResult, GivenReadings, withdraw, writeDay, writeEmitted, type DayStamp } from './apply-series-result.ts';
import { channelNeeds, emitsOf, isEmittedOn } from './channel-flow.ts';
import type { Activation, Flow } from './flow.ts';
import type { FlowResult, RuleFailure, RuleFailureCode, Sandbox } from './sandbox.ts';
import type { SeriesInputs } from './series-inputs.ts';
import type { SeriesResult, SeriesRun } from './series-run.ts';
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
  readonly write: (rows: ValidatedRows) => number;
  readonly failures: readonly RuleFailure[];
}

const neverClosedMs = -8.64e15;

const noEmissions: SeriesResult['emitted'] = {
  channel: new Uint32Array(),
  startMs: new Float64Array(),
  lengthMs: new Uint32Array(),
};

/**
 * Runs one local day under every activation that counts for a part of it. Nothing comes of a day of which nothing is
 * stored while it is not closed. Throws what `runFlow` throws.
 */
export async function runDay(runner: DayRunner, work: SeriesWork, day: number): Promise<DayOutcome[]> {
  const { facts, inputs, windows, activations } = work;
  const { days } = inputs;
  const [fromMs, toMs] = [days.startMs[day] as number, days.startMs[day + 1] as number];
  const counting = activations.filter((each) => each.fromMs < toMs && fromMs < each.toMs);
  const outcomes: DayOutcome[] = [];
  for (const activation of counting) {
    const counts = (startMs: number): boolean =>
      startMs >= fromMs && startMs < toMs && counting.find(spans(startMs)) === activation;
    const stamp = { activation: facts.activation, ticket: work.ticket, decimals: activation.decimals, counts };
    const needs = channelNeeds(activation.flow, facts.series);
    const around = { backDays: needs?.lookBackDays ?? 0, aheadDays: needs?.lookAheadDays ?? 0 };
    const { run: open, others: beside } = windows.run(day, around);
    // Of two that make the same reading whoever came last would count: gaps of what a rule makes are its own to fill.
    const isMade = isEmittedOn(activation.flow, facts.series);
    const run = isMade ? { ...open, closedThroughMs: neverClosedMs } : open;
    const isClosed = toMs <= facts.closedThroughMs;
    if (!isClosed && isEmpty(run.batch) && readingCount(beside) === 0 && isUnstored(inputs, day)) {
      continue;
    }
    outcomes.push(
      needs === undefined
        ? await readingDay(runner, { activation, work, day, run, beside, stamp: { ...stamp, ticket: 0 } })
        : await seriesDay(runner, { activation, work, day, run, beside, stamp }),
    );
  }
  return outcomes;
}

interface DayTask {
  readonly activation: Activation;
  readonly work: SeriesWork;
  readonly day: number;
  readonly run: SeriesRun;
  /** Readings of the day that no rule of a series flow sees. */
  readonly beside: ReadingBatch;
  readonly stamp: Omit<DayStamp, 'onFailure'>;
}

async function seriesDay({ sandbox, runFlow }: DayRunner, task: DayTask): Promise<DayOutcome> {
  const { activation, work, day, run, beside } = task;
  const { batch } = run;
  const failed = (code: Parameters<typeof failedResult>[1]): SeriesResult => ({
    ...failedResult(batch, code),
    emitted: noEmissions,
  });
  const { flow } = activation;
  const { result, onFailure, failures } = await runFlow(flow, () => sandbox.runSeries(flow, run), failed);
  return {
    failures,
    write: (rows) => {
      const given = new GivenReadings();
      const at = { stamp: { ...task.stamp, onFailure }, given };
      const rejected = writeDay(rows, { batch, result: dayResult(result, batch) }, at);
      writeDay(rows, { batch: beside, result: unchangedResult(beside) }, at);
      const { series } = work.facts;
      writeEmitted(rows, { result, count: readingCount(batch), emits: emitsOf(flow), series }, at);
      withdraw(rows, { own: series, stored: work.inputs.storedOf(day), ...at });
      return rejected === undefined ? 0 : readingCount(rejected);
    },
  };
}

/** The same readings through a reading flow: what the stream would have made of them under this activation. */
async function readingDay({ sandbox, runFlow }: DayRunner, task: DayTask): Promise<DayOutcome> {
  const { activation, work, day, run, beside } = task;
  const { flow } = activation;
  const parts: { readonly batch: ReadingBatch; readonly flowRun: FlowRun<FlowResult> }[] = [];
  for (const batch of [run.batch, beside].flatMap(batchesOf)) {
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
    write: (rows) => {
      const given = new GivenReadings();
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
      const stored = work.inputs.storedOf(day);
      withdraw(rows, { own: work.facts.series, stored, stamp: { ...task.stamp, onFailure }, given });
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

/** Nothing but gaps that nobody sent. */
function isEmpty({ columns: { versions } }: ReadingBatch): boolean {
  return versions.declared.every((declared, index) => declared === 0 && versions.acceptedAtMs[index] === 0);
}

function isUnstored(inputs: SeriesInputs, day: number): boolean {
  return inputs.storedOf(day).every(({ columns }) => columns.length === 0);
}
