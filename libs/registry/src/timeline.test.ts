import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantMsMax } from './instants.ts';
import { periodsOf, stated, valueAt, type Timeline, type Validity } from './timeline.ts';

const from = (fromMs: number, toMs?: number): Validity => (toMs === undefined ? { fromMs } : { fromMs, toMs });
const nothing: Timeline<string> = [];

describe('a timeline', () => {
  test('says what was stated last before an instant', () => {
    const timeline = stated(stated(nothing, 'a', from(10)), 'b', from(20));
    expect([9, 10, 19, 20, 99].map((atMs) => valueAt(timeline, atMs))).toEqual([undefined, 'a', 'a', 'b', 'b']);
  });

  test('goes on behind a statement with an end as it was there', () => {
    const timeline = stated(stated(nothing, 'a', from(10)), 'b', from(20, 30));
    expect(timeline).toEqual([
      [10, 'a'],
      [20, 'b'],
      [30, 'a'],
    ]);
    expect(stated(timeline, null, from(5, 40))).toEqual([
      [5, null],
      [40, 'a'],
    ]);
  });

  test('has periods that touch and say something new', () => {
    const timeline: Timeline<string> = [
      [1, 'a'],
      [2, 'a'],
      [3, null],
      [4, 'b'],
      [5, 'c'],
    ];
    expect(periodsOf(timeline)).toEqual([
      { fromMs: 1, toMs: 3, value: 'a' },
      { fromMs: 4, toMs: 5, value: 'b' },
      { fromMs: 5, value: 'c' },
    ]);
  });

  const statement = fc.record({
    value: fc.constantFrom('a', 'b', null),
    fromMs: fc.integer({ min: 0, max: 20 }),
    lengthMs: fc.constantFrom(undefined, 1, 3, instantMsMax),
  });

  test('says what was stated, everywhere it was, and elsewhere what it said before', () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 12 }), statement, (earlier, { value, fromMs, lengthMs }) => {
        let timeline = nothing;
        for (const each of earlier) {
          timeline = stated(timeline, each.value, validityOf(each));
        }
        const after = stated(timeline, value, validityOf({ fromMs, lengthMs }));
        const toMs =
          lengthMs === undefined
            ? (timeline.find(([each]) => each > fromMs)?.[0] ?? Infinity)
            : Math.min(instantMsMax, fromMs + lengthMs);
        for (let atMs = 0; atMs < 30; atMs++) {
          const isWithin = atMs >= fromMs && atMs < toMs;
          expect(valueAt(after, atMs)).toBe(isWithin ? (value ?? undefined) : valueAt(timeline, atMs));
        }
        expect(stated(after, value, validityOf({ fromMs, lengthMs }))).toEqual(after);
      }),
      { numRuns: 300 },
    );
  });

  test('is the same in whatever order statements without an end come', () => {
    const distinct = fc.uniqueArray(statement, { selector: ({ fromMs }) => fromMs, maxLength: 8 });
    fc.assert(
      fc.property(
        distinct.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          const built = (statements: typeof all) =>
            statements.reduce<Timeline<string>>(
              (timeline, { value, fromMs }) => stated(timeline, value, { fromMs }),
              [],
            );
          expect(built(shuffled)).toEqual(built(all));
        },
      ),
    );
  });
});

function validityOf({ fromMs, lengthMs }: { fromMs: number; lengthMs: number | undefined }): Validity {
  return lengthMs === undefined ? { fromMs } : { fromMs, toMs: Math.min(instantMsMax, fromMs + lengthMs) };
}
