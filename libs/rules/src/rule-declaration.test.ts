import { describe, expect, test } from 'vitest';
import { parameterProblems, ruleDeclaration, sourceDiff } from './index.ts';

const capped = ruleDeclaration({
  name: 'capped',
  onReading: true,
  parameters: {
    top: { type: 'number', min: 0, max: 100, unit: 'kWh' },
    mode: { type: 'string', default: 'cut', choices: ['cut', 'flag'] },
    quiet: { type: 'boolean', default: false },
  },
});

describe('parameters', () => {
  test.each([
    [{ top: 5 }, []],
    [{ top: 5, mode: 'flag', quiet: true }, []],
    [{}, ['top is missing: it has no default, so give it a value']],
    [{ top: 101 }, ['top must be between 0 and 100 kWh, not 101']],
    [{ top: '5' }, ['top must be a number, not "5"']],
    [{ top: NaN }, ['top must be a number, not NaN']],
    [{ top: 5, mode: 'drop' }, ['mode must be one of cut, flag, not "drop"']],
    [{ top: 5, tip: 1 }, ['tip is no parameter of capped; it has top, mode, quiet']],
    [
      JSON.parse('{"top":5,"__proto__":1}') as Record<string, number>,
      ['__proto__ is no parameter of capped; it has top, mode, quiet'],
    ],
    [JSON.parse('{"__proto__":{"top":5}}') as Record<string, number>, ['__proto__ is no parameter', 'top is missing']],
  ])('%j', (given, problems) => {
    const told = parameterProblems(capped, given).map(({ parameter, problem }) => `${parameter} ${problem}`);
    expect(told).toHaveLength(problems.length);
    problems.forEach((problem, index) => {
      expect(told[index]).toContain(problem);
    });
  });
});

describe('the diff of sources', () => {
  test('shows what goes and comes between what stays', () => {
    const before = { 'a.ts': 'one\ntwo\nthree\nfour\nfive\n', 'b.ts': 'same\n', 'c.ts': 'gone\n' };
    const after = { 'a.ts': 'one\ntwo\nTHREE\nfour\n4.5\nfive\n', 'b.ts': 'same\n', 'd.ts': 'new\n' };
    expect(sourceDiff(before, after).split('\n')).toEqual([
      ...['--- a.ts', '  one', '  two', '- three', '+ THREE', '  four', '+ 4.5', '  five'],
      ...['--- c.ts', '- gone', '--- d.ts', '+ new'],
    ]);
  });

  test('of the same is nothing', () => {
    expect(sourceDiff({ a: 'x' }, { a: 'x' })).toBe('');
  });
});

describe('a rule with onSeries', () => {
  const rule = (needs: unknown): unknown => ({ name: 'mean', onSeries: true, needs });

  test('tells what it looks at; what it does not name is nothing', () => {
    expect(ruleDeclaration(rule({ channels: ['import*'], lookBackDays: 28, emits: ['net'] }))).toEqual({
      name: 'mean',
      parameters: {},
      channels: ['import*'],
      series: { reads: [], emits: ['net'], lookBackDays: 28, lookAheadDays: 0, tags: [] },
    });
  });

  test('one with onReading has none of it', () => {
    expect(ruleDeclaration({ name: 'mean', onReading: true }).series).toBeUndefined();
  });

  test.each([
    [rule({ lookBackDays: 367 }), 'needs.lookBackDays must be a whole number of days from 0 to 366'],
    [rule({ lookAheadDays: 1.5 }), 'from 0 to 35'],
    [rule({ reads: ['export*'] }), 'channels by name'],
    [rule({ reads: ['net'], emits: ['net'] }), 'name a channel twice'],
    [rule({ emits: ['import@gas-day'] }), 'stands for a register'],
    [rule({ reads: ['import@gas-day'] }), 'stands for a register'],
    [rule({ channels: ['import@*'] }), 'stands for a register'],
    [rule({ tags: ['no tag'] }), 'needs.tags must be a list'],
    [rule({ history: 5 }), 'needs has no "history"'],
    [{ name: 'mean', onReading: true, needs: { lookBackDays: 1 } }, 'may need channels alone'],
    [{ name: 'mean', onReading: true, onSeries: true }, 'has both'],
    [{ name: 'mean' }, 'no function onReading'],
  ])('%j is refused', (told, problem) => {
    expect(() => ruleDeclaration(told)).toThrow(problem);
  });
});
