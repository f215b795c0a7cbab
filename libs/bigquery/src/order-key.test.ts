import {
  compareReadings,
  missingCode,
  versionsOf,
  constantRuns,
  ReadingCursor,
  type ReadingColumns,
} from '@meterflow/readings';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GrowingBytes } from './parquet/growing-bytes.ts';
import { ReadingKeys } from './reading-rows.ts';

const part = fc.oneof(fc.constantFrom(0, 1, 255, 256, 2 ** 32, 2 ** 53 - 1), fc.maxSafeNat());
const integer = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -1_000, max: 1_000 }), fc.maxSafeInteger());

/** Columns of one reading. Few texts and parts, so that pairs are often equal in some. */
const reading = fc
  .record({
    version: fc.record({
      declared: fc.oneof(fc.constant(0), part),
      acceptedAtMs: fc.oneof(fc.constant(0), part),
      activation: fc.oneof(fc.constant(0), part),
      ticket: fc.oneof(fc.constant(0), part),
      computed: fc.boolean(),
    }),
    integer,
    decimals: fc.nat(9),
    quality: fc.constantFrom(0, 1, 2, 3, missingCode),
    unit: fc.constantFrom('kWh', 'Wh'),
    code: fc.constantFrom('', 'E', 'Eä'),
    reason: fc.constantFrom('', 'gap'),
  })
  .map((plain): ReadingColumns => {
    const integer = plain.quality === missingCode ? 0 : plain.integer;
    return {
      spans: {
        series: Uint32Array.of(0),
        startMs: Float64Array.of(0),
        stepMs: Uint32Array.of(0),
        lengthMs: Uint32Array.of(0),
        count: Uint32Array.of(1),
      },
      decimals: plain.decimals,
      values: Float64Array.of(integer),
      quality: constantRuns(plain.quality, 1),
      version: constantRuns(0, 1),
      versions: versionsOf([plain.version]),
      unit: constantRuns(1, 1),
      code: constantRuns(2, 1),
      method: constantRuns(0, 1),
      reason: constantRuns(3, 1),
      texts: ['', plain.unit, plain.code, plain.reason],
    };
  });

function cursorAt(columns: ReadingColumns): ReadingCursor {
  const cursor = new ReadingCursor(columns);
  cursor.next();
  return cursor;
}

function keyOf(columns: ReadingColumns, acceptedAtMs = 5): Buffer {
  const keys = new ReadingKeys();
  const into = new GrowingBytes();
  keys.begin({ acceptedAtMs });
  const cursor = cursorAt(columns);
  keys.append(cursor, cursor.integer, into);
  return Buffer.from(into.bytes().subarray(4));
}

describe('order keys', () => {
  test('sort as the one comparator of readings does, and texts break its ties', () => {
    fc.assert(
      fc.property(reading, reading, fc.boolean(), (a, b, sameVersion) => {
        const other = sameVersion ? { ...b, versions: a.versions } : b;
        const expected =
          Math.sign(compareReadings(cursorAt(a), cursorAt(other))) ||
          Math.sign(Buffer.compare(Buffer.from(a.texts.join('\0')), Buffer.from(other.texts.join('\0'))));
        expect(Math.sign(Buffer.compare(keyOf(a), keyOf(other)))).toBe(expected);
      }),
      { numRuns: 5_000 },
    );
  });

  test('are the same bytes for the same number, whatever its decimals', () => {
    fc.assert(
      fc.property(reading, fc.integer({ min: -900_000, max: 900_000 }), fc.nat(6), (columns, value, decimals) => {
        const at = (shift: number): Buffer =>
          keyOf({ ...columns, values: Float64Array.of(value * 10 ** shift), decimals: decimals + shift });
        expect(at(3)).toEqual(at(0));
      }),
    );
  });

  test('tell two acceptances of the same reading apart, the later one last', () => {
    fc.assert(
      fc.property(reading, part, part, (columns, a, b) => {
        expect(Math.sign(Buffer.compare(keyOf(columns, a), keyOf(columns, b)))).toBe(Math.sign(a - b));
      }),
    );
  });
});
