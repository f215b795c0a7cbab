import type { ReadingBatch } from '@meterflow/readings';
import { applyFlowResult, type Activation, type AppliedFlow, type RuleFailure, type Sandbox } from '@meterflow/rules';
import { failedBatch, runFlow } from './run-flow.ts';

/** What came of a flow over a batch, and what is to be told of its rules. */
export interface RunActivation extends AppliedFlow {
  readonly failures: readonly RuleFailure[];
}

/**
 * Runs an activation's flow over a batch and applies what it did, or what its policy says when a rule failed. Throws
 * HaltedError where the batch is to be parked, TransientError while the sandbox is not to be had.
 */
export async function runActivation(
  sandbox: Pick<Sandbox, 'run'>,
  { flow, decimals }: Activation,
  { batch, key }: { readonly batch: ReadingBatch; readonly key: string },
): Promise<RunActivation> {
  const { result, onFailure, failures } = await runFlow(flow, () => sandbox.run(flow, batch), failedBatch(batch));
  return { ...applyFlowResult(batch, result, { key, decimals, onFailure }), failures };
}
