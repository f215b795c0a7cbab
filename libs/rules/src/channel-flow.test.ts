import { expect, test } from 'vitest';
import { channelNeeds, flowOf, matchesChannel, meterPoint, type FlowStep } from './index.ts';
import { ruleOf, seriesRuleOf } from './testing/index.ts';

test.each([
  ['import', 'import', true],
  ['import', 'imports', false],
  ['*', 'anything', true],
  ['import*', 'import-1', true],
  ['*port', 'export', true],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['aba*aba', 'aba', false],
  ['a.c', 'abc', false],
])('the glob %s and the channel %s', (pattern, channel, fits) => {
  expect(matchesChannel(pattern, channel)).toBe(fits);
});

const step = (rule: FlowStep['rule'], part: Partial<FlowStep> = {}): FlowStep => ({
  ...{ rule, parameters: {}, channels: 'import' },
  ...part,
});

test('a series flow needs what all its rules need together', () => {
  const steps = [
    step(ruleOf('')),
    step(seriesRuleOf('', { lookBackDays: 7, reads: ['export'] })),
    step(seriesRuleOf('', { lookBackDays: 28, lookAheadDays: 1, emits: ['net'], tags: ['dials'] })),
  ];
  const flow = { ...flowOf('x', []), steps };
  expect(channelNeeds(flow, { meter: 'm', channel: 'import' })).toEqual({
    ...{ reads: ['export'], emits: ['net'], lookBackDays: 28, lookAheadDays: 1, tags: ['dials'] },
  });
  expect(channelNeeds(flow, { meter: 'm', channel: 'export' })).toBeUndefined();
});

test('a meter that is not in the share of a step has no series flow of it', () => {
  const point = meterPoint('m');
  const flowWith = (share: { from: number; to: number }) => ({
    ...flowOf('x', []),
    steps: [step(seriesRuleOf(''), { share })],
  });
  const series = { meter: 'm', channel: 'import' };
  expect(channelNeeds(flowWith({ from: 0, to: point }), series)).toBeUndefined();
  expect(channelNeeds(flowWith({ from: point, to: 1 }), series)).toBeDefined();
});
