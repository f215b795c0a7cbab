import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MadeReadingsBuilder, madeWithin, type MadeReading } from './made-readings.ts';

const reading: fc.Arbitrary<MadeReading> = fc.record({
  channel: fc.constantFrom('import', 'net'),
  startMs: fc.integer({ min: -50, max: 50 }),
  lengthMs: fc.constantFrom(0, 15, 60),
});
const named = ({ channel, startMs, lengthMs }: MadeReading): string => `${channel} ${startMs} ${lengthMs}`;

test('law: what was collected comes back, each once, and of a span what begins in it', () => {
  fc.assert(
    fc.property(fc.array(reading), fc.integer({ min: -60, max: 60 }), fc.nat(80), (readings, fromMs, lengthMs) => {
      const builder = new MadeReadingsBuilder();
      readings.forEach((each) => {
        builder.add(each, each.startMs, each.lengthMs);
      });
      const made = builder.finish();
      const within = readings.filter(({ startMs }) => startMs >= fromMs && startMs < fromMs + lengthMs);
      expect([...madeWithin(made, fromMs, fromMs + lengthMs)].map(named).sort()).toEqual(
        [...new Set(within.map(named))].sort(),
      );
      expect(readings.every((each) => builder.has(each))).toBe(true);
    }),
  );
});

test('a year of quarter-hours is one run', () => {
  const builder = new MadeReadingsBuilder();
  for (let slot = 0; slot < 365 * 96; slot++) {
    builder.add({ channel: 'net' }, slot * 900_000, 900_000);
  }
  expect(builder.finish()).toEqual([{ channel: 'net', runs: [[0, 900_000, 900_000, 365 * 96]] }]);
});
