import { resultOfDay, type Flow, type FlowResult, type Sandbox } from '@meterflow/rules';
import { batchOf } from './batch-of.ts';
import { dayOf } from './day-of.ts';

/** Whose readings a flow is run on. */
export interface Subject {
  readonly tenant: string;
  /** Readings differ by it. */
  readonly seed: number;
}

/** Runs a flow on a batch of its tenant, or on a day where it looks at days. */
export async function runOnce(sandbox: Sandbox, flow: Flow, { tenant, seed }: Subject): Promise<FlowResult> {
  return flow.steps.some(({ rule }) => rule.series !== undefined)
    ? resultOfDay(await sandbox.runSeries(flow, dayOf(tenant, seed)))
    : sandbox.run(flow, batchOf(tenant, seed));
}
