import { parseEnvironment } from '@meterflow/service';
import { expect, test } from 'vitest';
import { sandboxEnvironment } from './sandbox-environment.ts';

const limitsOf = (text: string | undefined): unknown =>
  parseEnvironment(sandboxEnvironment, text === undefined ? {} : { METERFLOW_SANDBOX_LIMITS: text })
    .METERFLOW_SANDBOX_LIMITS;

test('limits of the sandbox are some of those that have a name', () => {
  expect(limitsOf(undefined)).toEqual({});
  expect(limitsOf('{"batchCpuMsMax":250,"children":4}')).toEqual({ batchCpuMsMax: 250, children: 4 });
});

test.each([
  ['no JSON', 'fast', /not JSON/],
  ['an unknown name', '{"cpuMax":1}', /cpuMax/],
  ['no limit at all', '{"batchCpuMsMax":0}', /batchCpuMsMax/],
  ['a text', '{"children":"4"}', /children/],
])('%s is refused', (_, text, told) => {
  expect(() => limitsOf(text)).toThrow(told);
});
