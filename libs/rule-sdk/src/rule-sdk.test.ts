import { expect, expectTypeOf, test } from 'vitest';
import { defineRule, sampleReadings, testRule } from './index.ts';

const capped = defineRule({
  name: 'capped',
  parameters: {
    top: { type: 'number', default: 10, min: 0, unit: 'kWh' },
    note: { type: 'string', default: 'capped', choices: ['capped', 'cut'] },
    quiet: { type: 'boolean', default: false },
  },
  onReading(reading, { parameters }) {
    expectTypeOf(parameters.top).toEqualTypeOf<number>();
    expectTypeOf(parameters.note).toEqualTypeOf<string>();
    expectTypeOf(parameters.quiet).toEqualTypeOf<boolean>();
    // @ts-expect-error: it is not declared
    const bottom: unknown = parameters.bottom;
    reading.value = Number(bottom);
    // @ts-expect-error: not a quality that a rule can set
    reading.quality = 'missing';
    // @ts-expect-error: a rule moves no reading
    reading.startMs = 0;
  },
});

test('a rule without parameters has none', () => {
  const plain = defineRule({
    name: 'plain',
    onReading(reading, { parameters }) {
      // @ts-expect-error: nothing is declared
      const top: unknown = parameters.top;
      reading.value = Number(top);
    },
  });
  expect(plain.name).toBe('plain');
});

test('cases may set what the rule declares, and nothing else', () => {
  const readings = sampleReadings([1, 2], { channel: 'export' });
  const declared = testRule(capped, {
    fits: { parameters: { top: 1 }, readings, expect: [{}, { value: 1 }] },
    // @ts-expect-error: top is a number
    'does not fit': { parameters: { top: 'high' }, readings: [], expect: [] },
  });
  expect(declared.rule).toBe(capped);
  expect(declared.cases['fits']?.readings).toEqual([
    { value: 1, channel: 'export' },
    { value: 2, channel: 'export' },
  ]);
});
