import { formatDecimal, missingCode, ReadingCursor, type ReadingBatch } from '@meterflow/readings';
import { change, unchangedResult, type Flow, type FlowResult, type FlowStep, type Sandbox } from '@meterflow/rules';
import { estimateDays } from './proof-estimate.ts';

/** A reading of this meter kills the process that handles it. */
export const poisonMeter = 'poison';

/** The rules of the proof's flows. They run in this process: what the real sandbox is proof against is not the matter here. */
export const proofRules = {
  /** Multiplies by `factor`. */
  scale: 'scale',
  /** Rejects what is above `limit`: an absence in the validated layer, and a dead letter. */
  rejectAbove: 'reject-above',
  /** Fails on the value `at`. */
  failAt: 'fail-at',
} as const;

interface Changed extends FlowResult {
  any: number;
  texts: string[];
  failures: FlowResult['failures'][number][];
}

/** Runs the proof's rules. `kill` is called for poison, and does not return to what called it. */
export function flowSandbox(kill: () => Promise<never>): Pick<Sandbox, 'run' | 'runSeries'> {
  return {
    run: (flow, batch) =>
      batch.series.some(({ meter }) => meter === poisonMeter) ? kill() : Promise.resolve(resultOf(flow, batch)),
    runSeries: (flow, run) => Promise.resolve(estimateDays(flow, run)),
  };
}

function resultOf(flow: Flow, batch: ReadingBatch): FlowResult {
  const result: Changed = { ...unchangedResult(batch), texts: [...batch.columns.texts], failures: [] };
  let index = 0;
  for (const cursor = new ReadingCursor(batch.columns); cursor.next(); index++) {
    if (cursor.qualityCode !== missingCode) {
      const value = Number(formatDecimal(cursor.integer, batch.columns.decimals));
      runSteps(flow.steps, { index, value }, result);
    }
  }
  return result;
}

function runSteps(
  steps: readonly FlowStep[],
  reading: { readonly index: number; value: number },
  result: Changed,
): void {
  const { index } = reading;
  const mark = (bit: number): void => {
    result.changes[index] = (result.changes[index] as number) | bit;
    result.any |= bit;
  };
  const because = (reason: string): void => {
    const known = result.texts.indexOf(reason);
    result.reason[index] = known < 0 ? result.texts.push(reason) - 1 : known;
  };
  for (const { rule, parameters } of steps) {
    if (rule.name === proofRules.scale) {
      reading.value *= Number(parameters['factor']);
      result.values[index] = reading.value;
      mark(change.value);
    } else if (rule.name === proofRules.rejectAbove && reading.value > Number(parameters['limit'])) {
      because('above-limit');
      mark(change.rejected);
      return;
    } else if (rule.name === proofRules.failAt && reading.value === Number(parameters['at'])) {
      because('rule-failed:rule-threw');
      mark(change.failed);
      result.failures.push({ index, code: 'rule-threw', message: 'the rule fails at this value' });
      return;
    }
  }
}
