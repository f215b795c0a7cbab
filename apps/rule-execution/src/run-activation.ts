import type { ReadingBatch } from '@meterflow/readings';
import {
  applyFlowResult,
  failedResult,
  RuleFailureError,
  type Activation,
  type AppliedFlow,
  type FlowResult,
  type Sandbox,
} from '@meterflow/rules';
import { HaltedError, TransientError } from '@meterflow/stage';

/** How often a flow whose policy is `retry` is run before its batch is parked: what rules do, they mostly do again. */
export const runAttemptsMax = 3;

/**
 * Runs an activation's flow over a batch and applies what it did, or what its policy says when a rule failed. Throws
 * HaltedError where the batch is to be parked, TransientError while the sandbox is not to be had.
 */
export async function runActivation(
  sandbox: Pick<Sandbox, 'run'>,
  activation: Activation,
  { batch, key }: { readonly batch: ReadingBatch; readonly key: string },
): Promise<AppliedFlow> {
  const { flow, decimals } = activation;
  const attempts = flow.onFailure === 'retry' ? runAttemptsMax : 1;
  for (let attempt = 1; ; attempt++) {
    const { result, failure } = await outcome(sandbox, activation, batch);
    if (failure === undefined || flow.onFailure === 'skip' || flow.onFailure === 'reject') {
      // A policy that lets batches pass, or no failure: then the policy does not matter.
      const onFailure = flow.onFailure === 'skip' ? 'skip' : 'reject';
      return applyFlowResult(batch, result, { key, decimals, onFailure });
    }
    if (attempt === attempts) {
      throw new HaltedError(failure.code, `flow "${flow.name}" halted: ${failure.message}`);
    }
  }
}

interface Outcome {
  readonly result: FlowResult;
  /** The first thing that went wrong in a rule. */
  readonly failure: { readonly code: string; readonly message: string } | undefined;
}

async function outcome(sandbox: Pick<Sandbox, 'run'>, { flow }: Activation, batch: ReadingBatch): Promise<Outcome> {
  try {
    const result = await sandbox.run(flow, batch);
    return { result, failure: result.failures[0] };
  } catch (error) {
    if (error instanceof RuleFailureError) {
      return { result: failedResult(batch, error.code), failure: error };
    }
    throw new TransientError('the sandbox is not to be had', { cause: error });
  }
}
