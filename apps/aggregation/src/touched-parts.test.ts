import { dayMs, hourMs } from '@meterflow/aggregates';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { causeOf, touchedSpans, type TouchedSpan } from './testing/notices.ts';
import { touchedParts } from './touched-parts.ts';

const spans = fc
  .array(
    fc.record({
      meter: fc.constantFrom('a', 'b', 'c', 'd'),
      fromMs: fc.integer({ min: 0, max: 2_000 }).map((hour) => hour * hourMs),
      hours: fc.integer({ min: 0, max: 3_000 }),
    }),
    { maxLength: 40 },
  )
  .map((rows) =>
    rows.map(({ meter, fromMs, hours }): TouchedSpan => ({ meter, fromMs, toMs: fromMs + hours * hourMs })),
  );

/** Each UTC day of each series, once. */
function utcDays(touched: ReturnType<typeof touchedSpans>): string[] {
  const days = new Set<string>();
  touched.index.forEach((series, row) => {
    const lastMs = Math.max(touched.fromMs[row]!, touched.toMs[row]! - 1);
    for (let day = Math.floor(touched.fromMs[row]! / dayMs); day <= Math.floor(lastMs / dayMs); day++) {
      days.add(`${touched.series[series]!.meter} ${day}`);
    }
  });
  return [...days].sort();
}

describe('the parts of what a notice touched', () => {
  test('are together all of it, each within the limit, numbered as one cut', () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: 3, max: 60 }), (rows, windowsMax) => {
        const touched = touchedSpans(rows);
        const parts = touchedParts(touched, [causeOf(1), causeOf(2)], windowsMax);
        expect([...new Set(parts.flatMap((part) => utcDays(part.touched)))].sort()).toEqual(utcDays(touched));
        parts.forEach((part, index) => {
          expect(utcDays(part.touched).length).toBeLessThanOrEqual(windowsMax);
          expect(part.causes).toEqual([
            { ...causeOf(1), part: index, parts: parts.length },
            { ...causeOf(2), part: index, parts: parts.length },
          ]);
        });
      }),
    );
  });

  test('are one where it is small, with the causes as they are', () => {
    const touched = touchedSpans([{ meter: 'a', fromMs: 0, toMs: 40 * dayMs }]);
    expect(touchedParts(touched, [causeOf(1)], 180)).toEqual([{ touched, causes: [causeOf(1)] }]);
  });

  test('are one where a cause is part of a batch that was cut: its siblings would not know', () => {
    const touched = touchedSpans([{ meter: 'a', fromMs: 0, toMs: 400 * dayMs }]);
    const cause = { ...causeOf(1), part: 1, parts: 2 };
    expect(touchedParts(touched, [cause], 180)).toEqual([{ touched, causes: [cause] }]);
  });

  test('are alike for the same meters in another order', () => {
    const rows = Array.from({ length: 300 }, (_, meter) => ({ meter: `m${meter}`, fromMs: 0, toMs: hourMs }));
    const meters = (part: { touched: ReturnType<typeof touchedSpans> }) =>
      [...part.touched.index].map((series) => part.touched.series[series]!.meter);
    const forwards = touchedParts(touchedSpans(rows), [causeOf(1)], 180).map(meters);
    const backwards = touchedParts(touchedSpans(rows.toReversed()), [causeOf(2)], 180).map(meters);
    expect(backwards).toEqual(forwards);
    expect(forwards.length).toBeGreaterThan(1);
  });
});
