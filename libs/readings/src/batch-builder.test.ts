import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BatchBuilder, ReadingRow } from './batch-builder.ts';
import { integerMax, powersOfTen } from './decimal.ts';
import type { BatchHeader } from './reading-batch.ts';
import { rawVersion } from './version.ts';

const header: BatchHeader = { tenant: 'acme', layer: 'raw', sourceId: 's-1', acceptedAtMs: 1, activation: 1 };

/** Readings that share all but start and value; `gap` lines stand before them. */
const stretches = fc.array(
  fc.record({
    meter: fc.constantFrom('a', 'b'),
    lengthMs: fc.constantFrom(0, 900_000),
    quality: fc.nat({ max: 4 }),
    declared: fc.nat({ max: 2 }),
    gap: fc.nat({ max: 3 }),
    inOrder: fc.boolean(),
    readings: fc.array(
      fc.record({
        slot: fc.nat({ max: 20 }),
        integer: fc.oneof(fc.integer({ min: -1_000, max: 1_000 }), fc.constantFrom(integerMax, -integerMax, 2 ** 50)),
        decimals: fc.nat({ max: 9 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  }),
  { maxLength: 6 },
);

function startRow(
  builder: BatchBuilder,
  stretch: { meter: string; lengthMs: number; quality: number; declared: number },
): ReadingRow {
  const row = new ReadingRow();
  row.series = builder.series(stretch.meter, 'import');
  row.lengthMs = stretch.lengthMs;
  row.quality = stretch.quality;
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(stretch.declared, 5));
  return row;
}

describe('a batch builder', () => {
  test('makes of a stretch what it makes of its readings one by one, and takes as many', () => {
    fc.assert(
      fc.property(stretches, fc.integer({ min: 1, max: 12 }), (sources, readingsMax) => {
        const one = new BatchBuilder(readingsMax);
        const many = new BatchBuilder(readingsMax);
        let line = 1;
        for (const { gap, readings, inOrder, ...shared } of sources) {
          line += gap;
          const startMs = Float64Array.from(readings, ({ slot }, index) => (inOrder ? index : slot) * 900_000);
          const integers = Float64Array.from(readings, ({ integer }) => integer);
          const decimals = Uint8Array.from(readings, (reading) => reading.decimals);
          const manyRow = startRow(many, shared);
          manyRow.line = line;
          const isRun =
            shared.lengthMs > 0 &&
            startMs.every((each, index) => index === 0 || each === startMs[index - 1]! + shared.lengthMs);
          const stretch = { startMs, integers, decimals, from: 0, to: readings.length, isRun };
          const taken = many.appendStretch(manyRow, stretch);

          const row = startRow(one, shared);
          let index = 0;
          while (index < readings.length && one.takes(integers[index]!, decimals[index]!)) {
            row.startMs = startMs[index]!;
            row.integer = integers[index]!;
            row.decimals = decimals[index]!;
            row.line = line + index;
            one.append(row);
            index += 1;
          }
          expect(taken).toBe(index);
          line += readings.length;
        }
        expect(many.finish(header)).toEqual(one.finish(header));
      }),
      { numRuns: 300 },
    );
  });

  test('takes a value as long as all values fit the decimals that they share', () => {
    const builder = new BatchBuilder(10);
    const row = startRow(builder, { meter: 'a', lengthMs: 0, quality: 0, declared: 0 });
    expect(builder.takes(integerMax, 0)).toBe(true);
    row.integer = Math.floor(integerMax / (powersOfTen[3] as number));
    builder.append(row);
    expect(builder.takes(1, 3)).toBe(true);
    expect(builder.takes(1, 4)).toBe(false);
    row.integer = 1;
    row.decimals = 3;
    builder.append(row);
    expect(builder.takes(row.integer, 0)).toBe(true);
    expect(builder.takes(integerMax, 0)).toBe(false);
    expect(builder.takes(integerMax, 3)).toBe(true);
    expect(builder.finish(header).columns.decimals).toBe(3);
    expect(builder.takes(integerMax, 0)).toBe(true);
  });

  test('starts over after each batch, with the same columns for the same readings', () => {
    const builder = new BatchBuilder(10);
    const fill = (): unknown => {
      const row = startRow(builder, { meter: 'a', lengthMs: 900_000, quality: 1, declared: 2 });
      row.integer = 15;
      row.decimals = 1;
      row.line = 7;
      builder.append(row);
      return builder.finish(header);
    };
    const first = fill();
    expect(fill()).toEqual(first);
  });
});
