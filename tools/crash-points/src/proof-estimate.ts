import { createHash } from 'node:crypto';
import { formatDecimal, missingCode, qualityCode, ReadingCursor, sliceBatch } from '@meterflow/readings';
import {
  change,
  emitsOf,
  unchangedResult,
  type Flow,
  type FlowResult,
  type RuleVersion,
  type RunDay,
  type SeriesResult,
  type SeriesRun,
} from '@meterflow/rules';

/** A version of the proof's rule for whole days, as a customer writes it: this text is its source. */
export interface Estimate {
  /** Put on top of every estimate, so that one tells which version made it. */
  readonly plus: number;
  /** Channels that it makes the day's sum on. */
  readonly emits: readonly string[];
  /** What a gap has where the day before had nothing either; it stays one where absent. */
  readonly otherwise?: number;
}

export const estimateName = 'like-yesterday';

/** Fills the gaps of closed days with what the day before had, or a value of its own, and makes the sum of a day that has values on other channels. */
export function estimateVersion(source: string): RuleVersion {
  const { emits } = JSON.parse(source) as Estimate;
  return {
    id: createHash('sha256').update(source).digest('hex'),
    ...{ name: estimateName, contract: 2, source },
    series: { reads: [], emits, lookBackDays: 1, lookAheadDays: 0, tags: [] },
  };
}

const estimated = qualityCode('estimated');
const calculated = qualityCode('calculated');

/** One of a run's days, and its readings alone. */
type DayRun = SeriesRun & Pick<RunDay, 'day' | 'slots'>;

/** Days, each by itself, through the flow's step of this rule; where it has none they pass as they came. */
export function estimateDays(flow: Flow, run: SeriesRun): SeriesResult[] {
  let to = 0;
  return run.days.map(({ day, slots, registers }) => {
    const from = to;
    to += slots + registers;
    return estimateDay(flow, { ...run, day, slots, batch: sliceBatch(run.batch, from, to) });
  });
}

function estimateDay(flow: Flow, run: DayRun): SeriesResult {
  const step = flow.steps.find(({ rule }) => rule.name === estimateName);
  const { plus, emits, otherwise = NaN } = JSON.parse(step?.rule.source ?? nothing) as Estimate;
  const { batch, day } = run;
  const before = unchangedResult(batch);
  const count = before.changes.length;
  const result = longer(before, count + emits.length);
  const set = (index: number, value: number, quality: number): void => {
    result.values[index] = value;
    result.quality[index] = quality;
    result.changes[index] = change.value | change.quality;
  };
  const isFilled = step !== undefined && (run.startMs[day + 1] as number) <= run.closedThroughMs;
  const values: number[] = [];
  const cursor = new ReadingCursor(batch.columns);
  for (let index = 0; cursor.next(); index++) {
    const estimate = isFilled && index < run.slots ? (valueOfYesterday(run, index) ?? otherwise) + plus : NaN;
    if (cursor.qualityCode !== missingCode) {
      values.push(Number(formatDecimal(cursor.integer, batch.columns.decimals)));
    } else if (!Number.isNaN(estimate)) {
      set(index, estimate, estimated);
      values.push(estimate);
    }
  }
  const made = values.length === 0 ? [] : emits;
  const sum = values.reduce((total, value) => total + value, 0);
  made.forEach((_, index) => {
    set(count + index, sum, calculated);
  });
  return { ...withoutRest(result, count + made.length), emitted: emitted(flow, run, made) };
}

const nothing = JSON.stringify({ plus: 0, emits: [] } satisfies Estimate);

function emitted(flow: Flow, { startMs, day, intervalMs }: DayRun, made: readonly string[]): SeriesResult['emitted'] {
  const channels = emitsOf(flow);
  return {
    channel: Uint32Array.from(made, (name) => channels.indexOf(name)),
    startMs: Float64Array.from(made, () => startMs[day] as number),
    lengthMs: Uint32Array.from(made, () => intervalMs),
  };
}

function valueOfYesterday({ windows: [own], day }: DayRun, slot: number): number | undefined {
  const [from, to] = [own?.slotsFrom[day - 1], own?.slotsFrom[day]];
  const value = from !== undefined && from + slot < (to as number) ? own?.values[from + slot] : undefined;
  return Number.isNaN(value) ? undefined : value;
}

function longer(result: FlowResult, length: number): FlowResult {
  return {
    ...result,
    changes: new Uint8Array(length),
    values: new Float64Array(length),
    quality: new Uint8Array(length),
    unit: new Uint16Array(length),
    method: new Uint16Array(length),
    reason: new Uint16Array(length),
  };
}

function withoutRest(result: FlowResult, length: number): FlowResult {
  const changes = result.changes.subarray(0, length);
  return { ...result, changes, any: changes.reduce((any, bits) => any | bits, 0) };
}
