import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { registerDifference, type RegisterDifference, type RegisterFacts } from './index.ts';

const hourMs = 3_600_000;
const plain: RegisterFacts = { dials: 0, decimals: 3, hourlyMax: 0, exchanges: [] };

/** Differences of readings an hour apart. */
function differences(register: readonly number[], facts: Partial<RegisterFacts> = {}): RegisterDifference[] {
  return register.slice(1).map((to, index) => {
    const into: RegisterDifference = { value: 0, step: 'counted' };
    const from = register[index] as number;
    registerDifference({ from, fromMs: index * hourMs, to, toMs: (index + 1) * hourMs }, { ...plain, ...facts }, into);
    return into;
  });
}

const valuesOf = (register: readonly number[], facts: Partial<RegisterFacts> = {}): number[] =>
  differences(register, facts).map(({ value }) => value);

describe('the difference of two register readings', () => {
  test('is what was counted between them: one fewer than readings', () => {
    expect(valuesOf([24, 72, 144, 240, 360])).toEqual([48, 72, 96, 120]);
  });

  test('is exact in the decimals of the register', () => {
    expect(valuesOf([0.1, 0.3, 1_234_567.891, 1_234_567.892])).toEqual([0.2, 1_234_567.591, 0.001]);
  });

  test('goes on past the last number, where the dials are known', () => {
    expect(differences([99_990, 15.5], { dials: 5 })).toEqual([{ value: 25.5, step: 'rolled-over' }]);
    expect(differences([99_990, 15.5])).toEqual([{ value: 15.5, step: 'reset' }]);
  });

  test('counts from 0 after a reset: a rollover would be more than half a round, or more than can be', () => {
    expect(differences([40_000, 12], { dials: 5 })).toEqual([{ value: 12, step: 'reset' }]);
    expect(differences([99_000, 12], { dials: 5, hourlyMax: 100 })).toEqual([{ value: 12, step: 'reset' }]);
    expect(differences([99_950, 12], { dials: 5, hourlyMax: 100 })).toEqual([{ value: 62, step: 'rolled-over' }]);
  });

  test('adds up both devices over an exchange', () => {
    const exchanges = [{ atMs: hourMs / 2, oldEnd: 1_010, newStart: 3 }];
    expect(differences([1_000, 8, 9], { exchanges })).toEqual([
      { value: 15, step: 'exchanged' },
      { value: 1, step: 'counted' },
    ]);
  });

  test('adds up all devices over two exchanges, one of which rolled over', () => {
    const exchanges = [
      { atMs: hourMs / 4, oldEnd: 5, newStart: 100 },
      { atMs: hourMs / 2, oldEnd: 101, newStart: 0 },
    ];
    expect(differences([99_995, 2], { dials: 5, exchanges })).toEqual([{ value: 13, step: 'exchanged' }]);
  });

  test('is not known over an exchange without readings', () => {
    const exchanges = [{ atMs: hourMs, oldEnd: Number.NaN, newStart: 0 }];
    expect(differences([1_000, 8], { exchanges })).toEqual([{ value: Number.NaN, step: 'unknown' }]);
  });
});

const counts = fc.array(fc.integer({ min: 0, max: 4_999 }), { minLength: 1, maxLength: 50 });

test('law: the differences of a rising register sum to its last less its first, exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), counts, fc.integer({ min: 0, max: 6 }), (first, parts, decimals) => {
      const scale = 10 ** decimals;
      let shown = first;
      const register = [first, ...parts.map((part) => (shown += part))].map((integer) => integer / scale);
      const integers = valuesOf(register, { decimals }).map((value) => Math.round(value * scale));
      expect(integers).toEqual(parts);
    }),
  );
});

test('law: a register of d dials rolls over as often as it comes around, and loses nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 9 }), fc.nat(9_999), counts, (dials, first, parts) => {
      const round = 10 ** dials;
      let shown = round - 1 - first;
      const register = [shown, ...parts.map((part) => (shown = (shown + part) % round))];
      expect(valuesOf(register, { dials, decimals: 0 })).toEqual(parts);
    }),
  );
});

test('law: no difference is negative', () => {
  const register = fc.array(fc.integer({ min: 0, max: 99_999 }), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(register, fc.integer({ min: 0, max: 5 }), (shown, dials) => {
      expect(valuesOf(shown, { dials }).every((value) => value >= 0)).toBe(true);
    }),
  );
});
