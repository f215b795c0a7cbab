import type { FlowResult, RuleFailureError } from '@meterflow/rules';
import { flowOfBody, sampleBatch } from '@meterflow/rules/testing';
import { expect } from 'vitest';
import type { IsolatedSandbox } from '../isolated-sandbox.ts';

const honest = flowOfBody('reading.value *= 1000; reading.unit = "Wh"');

/** Runs the hostile body between honest batches of other tenants, whose results must be what they always are. */
export async function besideOthers(sandbox: IsolatedSandbox, body: string): Promise<FlowResult | RuleFailureError> {
  const runHonest = (tenant: string): Promise<FlowResult> => sandbox.run(honest, sampleBatch({ tenant }));
  const undisturbed = await runHonest('tenant-0');
  const before = [runHonest('tenant-1'), runHonest('tenant-2')];
  const hostile = sandbox.run(flowOfBody(body), sampleBatch({ tenant: 'hostile' })).catch((error: unknown) => error);
  const after = [runHonest('tenant-3'), runHonest('tenant-1'), runHonest('tenant-4')];
  for (const result of await Promise.all([...before, ...after])) {
    expect(result).toEqual(undisturbed);
  }
  const outcome = (await hostile) as FlowResult | RuleFailureError;
  expect(await runHonest('tenant-5')).toEqual(undisturbed);
  return outcome;
}

/** A rule that would take its host with it is stopped, and its version is in quarantine. */
export async function expectStopped(sandbox: IsolatedSandbox, body: string): Promise<void> {
  const outcome = await besideOthers(sandbox, body);
  expect(outcome).toMatchObject({ name: 'RuleFailureError' });
  const { code, message } = outcome as RuleFailureError;
  expect(['rule-timed-out', 'rule-killed-its-host']).toContain(code);
  expect(message).toContain('under-test');
  const again = sandbox.run(flowOfBody(body), sampleBatch({ tenant: 'hostile' }));
  await expect(again).rejects.toMatchObject({ code });
}
