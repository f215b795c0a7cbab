import {
  change,
  failedResult,
  ruleContract,
  RuleFailureError,
  type Flow,
  type FlowResult,
  type FlowRun,
  type RuleFailureCode,
} from '@meterflow/rules';
import type { ReadingBatch } from '@meterflow/readings';
import { HaltedError, TransientError } from '@meterflow/stage';

/** How often a flow whose policy is `retry` is run before its batch is parked: what rules do, they mostly do again. */
const runAttemptsMax = 3;

/**
 * Runs a flow as its policy says. Throws HaltedError where the batch is to be parked, TransientError while the sandbox
 * is not to be had.
 */
export async function runFlow<Result extends FlowResult>(
  flow: Flow,
  run: () => Promise<Result>,
  failed: (code: RuleFailureCode) => Result,
): Promise<FlowRun<Result>> {
  if (flow.steps.some(({ rule }) => rule.contract > ruleContract)) {
    // A build that knows it runs elsewhere already, or will soon: what this one would make of it is nobody's guess.
    throw new TransientError(`flow "${flow.name}" has a rule of a newer contract than ${ruleContract}`);
  }
  const attempts = flow.onFailure === 'retry' ? runAttemptsMax : 1;
  for (let attempt = 1; ; attempt++) {
    const { result, failure } = await outcome(run, failed);
    if (failure === undefined || flow.onFailure === 'skip' || flow.onFailure === 'reject') {
      // A policy that lets batches pass, or no failure: then the policy does not matter.
      return { result, failures: result.failures, onFailure: flow.onFailure === 'skip' ? 'skip' : 'reject' };
    }
    if (attempt === attempts) {
      throw new HaltedError(failure.code, `flow "${flow.name}" halted: ${failure.message}`);
    }
  }
}

interface Outcome<Result> {
  readonly result: Result;
  /** The first thing that failed a reading, or all of them. */
  readonly failure: { readonly code: string; readonly message: string } | undefined;
}

async function outcome<Result extends FlowResult>(
  run: () => Promise<Result>,
  failed: (code: RuleFailureCode) => Result,
): Promise<Outcome<Result>> {
  try {
    const result = await run();
    const { failures, changes, any } = result;
    const failure = failures.find(({ index }) => ((changes[index] as number) & change.failed) !== 0);
    const untold = { code: 'rule-threw', message: 'a rule failed on a reading' };
    return { result, failure: (any & change.failed) === 0 ? undefined : (failure ?? untold) };
  } catch (error) {
    if (error instanceof RuleFailureError) {
      return { result: failed(error.code), failure: error };
    }
    throw new TransientError('the sandbox is not to be had', { cause: error });
  }
}

/** The result of a batch that failed as a whole. */
export function failedBatch(batch: ReadingBatch): (code: RuleFailureCode) => FlowResult {
  return (code) => failedResult(batch, code);
}
