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

const mean = defineRule({
  name: 'mean',
  parameters: { hoursMax: { type: 'number', default: 2, unit: 'h' } },
  needs: { lookBackDays: 7, reads: ['export'], emits: ['net'], tags: ['dials'] },
  onSeries(day, { parameters, tags }) {
    expectTypeOf(parameters.hoursMax).toEqualTypeOf<number>();
    expectTypeOf(tags['dials']).toEqualTypeOf<string | number | boolean | undefined>();
    const [first] = day.slots;
    const before = day.earlier(7).slots[0];
    if (first?.value === undefined) {
      first?.fill(before?.value ?? 0, { method: 'week-before' });
    } else {
      first.value += 1;
    }
    expectTypeOf(day.earlier(7).values()).toEqualTypeOf(day.values());
    // @ts-expect-error: values are numbers, and a gap is NaN
    day.values()[0] = undefined;
    day.emit('net', { startMs: day.startMs, value: day.other('export').slots.length });
    // @ts-expect-error: what came before is as it came
    before.value = 0;
    // @ts-expect-error: a gap is filled, not set to nothing
    day.slots[1]!.value = undefined;
  },
});

test('cases of a rule with onSeries are days with gaps', () => {
  const declared = testRule(mean, {
    fits: { parameters: { hoursMax: 1 }, values: [null, 1], expect: [{ value: 2, method: 'week-before' }, null] },
    // @ts-expect-error: either readings or a day
    'does not fit': { readings: [], values: [], expect: [] },
  });
  expect(declared.rule).toBe(mean);
});

test('a rule has one of the two', () => {
  const nothing = (): undefined => undefined;
  // @ts-expect-error: a rule has not both
  expect(defineRule({ name: 'both', onReading: nothing, onSeries: nothing }).name).toBe('both');
  // @ts-expect-error: a rule has one of them
  expect(defineRule({ name: 'none' }).name).toBe('none');
  // @ts-expect-error: a reading has no days before it
  expect(defineRule({ name: 'back', needs: { lookBackDays: 1 }, onReading: nothing }).name).toBe('back');
});
