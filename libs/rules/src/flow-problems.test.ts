import { expect, test } from 'vitest';
import { flowOf, flowProblems, type FlowStep, type SeriesNeeds } from './index.ts';
import { seriesRuleOf } from './testing/index.ts';

const step = (name: string, needs: Partial<SeriesNeeds>, channels: string): FlowStep => ({
  rule: seriesRuleOf('', needs, name),
  parameters: {},
  channels,
});
const problemsOf = (...steps: readonly FlowStep[]): string[] =>
  flowProblems({ ...flowOf('x', []), steps }).map(({ rule, problem }) => `${rule} ${problem}`);
const net = { emits: ['net'] };

test('a rule does not look at the channel that it makes', () => {
  expect(problemsOf(step('sums', net, '*'))).toEqual([
    'sums makes readings on net, which * names too: name the channel that it is to look at, like import',
  ]);
  expect(problemsOf(step('sums', net, 'net'))).toHaveLength(1);
  expect(problemsOf(step('sums', net, 'import'))).toEqual([]);
});

test('a rule that makes readings is on a channel by name: a meter may have two that fit a glob', () => {
  expect(problemsOf(step('sums', { emits: ['net', 'total'] }, 'import*'))).toEqual([
    'sums makes readings on net, total of each channel that import* names: of a meter that has two of them, what ran last would count. ' +
      'Name the channel, like import',
  ]);
  expect(problemsOf(step('fills', {}, 'import*'))).toEqual([]);
});

test('two rules do not make the same channel of one meter, of whichever channels and in whichever order', () => {
  const [problem] = problemsOf(step('a', net, 'import'), step('b', net, 'import-1'));
  expect(problem).toBe(
    'b makes readings on net, as a on import does: of a meter that has both channels, what ran last would count. ' +
      'Retire one, or have each make a channel of its own',
  );
  expect(problemsOf(step('a', net, 'import'), step('b', net, 'export'))).toHaveLength(1);
  expect(problemsOf(step('b', net, 'export'), step('a', net, 'import'))).toHaveLength(1);
  expect(problemsOf(step('a', net, 'import'), step('a', net, 'export'))).toHaveLength(1);
  expect(problemsOf(step('a', net, 'import'), step('b', { emits: ['sum'] }, 'import'))).toEqual([]);
  // Two versions, each on its own share of the meters.
  const shares = [
    { ...step('a', net, 'import'), share: { from: 0, to: 0.1 } },
    { ...step('a', net, 'import'), share: { from: 0.1, to: 1 } },
  ];
  expect(problemsOf(...shares)).toEqual([]);
});

test('nobody reads what another rule makes: it would never see it', () => {
  const reader = step('reader', { reads: ['net'] }, 'import');
  expect(problemsOf(step('maker', net, 'export'), reader)).toEqual(problemsOf(reader, step('maker', net, 'export')));
  expect(problemsOf(reader, step('maker', net, 'export'))).toEqual([
    'reader reads net, which maker makes: rules read raw readings, so compute it from what maker reads',
  ]);
});

test('a rule that reads other channels is on a channel by name', () => {
  expect(problemsOf(step('reader', { reads: ['export'] }, '*'))).toEqual([
    'reader reads export, whose changes must find the days of its own channel: name that, not *',
  ]);
  expect(problemsOf(step('reader', { reads: ['export'] }, 'import'))).toEqual([]);
});
