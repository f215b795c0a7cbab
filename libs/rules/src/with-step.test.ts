import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { convertUnit, flagRange, flowOf, hasMeter, meterPoint, takesSeries, withoutRule, withStep } from './index.ts';
import type { Flow, FlowStep, MeterShare } from './index.ts';

const step = (factor: number, channels = '*', share?: MeterShare): FlowStep => ({
  ...{ rule: convertUnit, parameters: { factor, unit: 'Wh' }, channels },
  ...(share === undefined ? {} : { share }),
});
const begun = (to: number): MeterShare => ({ from: 0, to });
const put = (flow: Flow, next: FlowStep): Flow => {
  const made = withStep(flow, next);
  expect(made).toBeDefined();
  return made ?? flow;
};
const shown = ({ steps }: Flow): unknown[] =>
  steps.map(({ parameters, channels, share }) => [parameters['factor'], channels, share?.from, share?.to]);

describe('a step of a flow', () => {
  test('takes the place of its rule’s own on the same channels, or comes last', () => {
    const flow = put(put(flowOf('x', []), step(1, 'import')), step(2, 'export'));
    expect(shown(put(flow, step(3, 'import')))).toEqual([
      [3, 'import', undefined, undefined],
      [2, 'export', undefined, undefined],
    ]);
  });

  test('stands before the first step of another rule where that is asked for, also where it stood elsewhere', () => {
    const peer = { rule: flagRange, parameters: {}, channels: '*' };
    const flow: Flow = { ...flowOf('x', []), steps: [step(1, 'export'), peer, step(2), peer] };
    expect(withStep(flow, step(3, 'import'), 'flag-range')?.steps).toEqual([
      ...[step(1, 'export'), step(3, 'import'), peer, step(2), peer],
    ]);
    expect(withStep(flow, step(3), 'flag-range')?.steps).toEqual([step(1, 'export'), step(3), peer, peer]);
  });

  test('for a share of the meters leaves the others what they had, and grows until nothing is left of it', () => {
    const peer = { rule: flagRange, parameters: {}, channels: '*' };
    const before: Flow = { ...flowOf('x', []), steps: [peer, step(1), peer] };
    const tenth = put(before, step(2, '*', begun(0.1)));
    expect(tenth.steps[0]).toBe(peer);
    expect(shown(tenth).slice(1, 3)).toEqual([
      [2, '*', 0, 0.1],
      [1, '*', 0.1, 1],
    ]);
    expect(shown(put(tenth, step(2, '*', begun(0.5)))).slice(1, 3)).toEqual([
      [2, '*', 0, 0.5],
      [1, '*', 0.5, 1],
    ]);
    expect(shown(put(tenth, step(3, '*', begun(0.05)))).slice(1, 4)).toEqual([
      [3, '*', 0, 0.05],
      [2, '*', 0.05, 0.1],
      [1, '*', 0.1, 1],
    ]);
    expect(put(tenth, step(2)).steps).toEqual([peer, step(2), peer]);
  });

  test('is not made for fewer meters than it has: that is to go back', () => {
    const half = put(flowOf('x', []), step(2, '*', begun(0.5)));
    expect(withStep(half, step(2, '*', begun(0.4)))).toBeUndefined();
    expect(withStep(put(half, step(2)), step(2, '*', begun(0.5)))).toBeUndefined();
    expect(withStep(half, step(2, '*', begun(0.5)))).toEqual(half);
  });

  test('goes with all that is of its rule, or with what runs on these channels', () => {
    const flow = put(put(flowOf('x', []), step(1, 'import')), step(2, 'export'));
    expect(withoutRule(flow, 'convert-unit')?.steps).toEqual([]);
    expect(shown(withoutRule(flow, 'convert-unit', 'import') ?? flow)).toEqual([[2, 'export', undefined, undefined]]);
    expect(withoutRule(flow, 'other')).toBeUndefined();
  });

  test('of the same rule: every meter has exactly one, whatever shares were begun and grown', () => {
    const share = fc.record({
      version: fc.integer({ min: 1, max: 3 }),
      to: fc.double({ min: 0.01, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(share, { maxLength: 8 }), fc.string(), (changes, meter) => {
        const flow = changes.reduce(
          (before, { version, to }) => withStep(before, step(version, '*', begun(to))) ?? before,
          put(flowOf('x', []), step(0)),
        );
        expect(flow.steps.filter((each) => takesSeries(each, { meter, channel: 'import' }))).toHaveLength(1);
      }),
    );
  });
});

test('meters lie evenly, and a growing share keeps the meters it had', () => {
  const meters = Array.from({ length: 10_000 }, (_, index) => `MAC${String(index).padStart(6, '0')}`);
  for (const to of [0.01, 0.1, 0.5]) {
    const taken = meters.filter((meter) => hasMeter(begun(to), meter)).length;
    expect(Math.abs(taken / meters.length - to)).toBeLessThan(0.015);
  }
  expect(meterPoint('M1')).toBeCloseTo(0.60206541, 8);
});
