import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareDecimals,
  compareReadings,
  readingCount,
  ReadingCursor,
  sliceBatch,
  type ReadingBatch,
} from './index.ts';
import { batchOf, epochMs, plainReading, type PlainReading } from './testing/index.ts';

interface Shown extends Omit<PlainReading, 'integer' | 'decimals'> {
  readonly value: string;
}

function shown(batch: ReadingBatch): Shown[] {
  const cursor = new ReadingCursor(batch.columns);
  const rows: Shown[] = [];
  while (cursor.next()) {
    const series = batch.series[cursor.series]!;
    rows.push({
      ...series,
      startMs: cursor.startMs,
      lengthMs: cursor.lengthMs,
      value: exactText(cursor.integer, batch.columns.decimals),
      quality: cursor.qualityCode,
      unit: cursor.unit,
      reason: cursor.reason,
      declared: batch.columns.versions.declared[cursor.versionIndex]!,
    });
  }
  return rows;
}

const exactText = (integer: number, decimals: number): string =>
  (BigInt(integer) * 10n ** BigInt(9 - decimals)).toString();

function plain(readings: readonly PlainReading[]): Shown[] {
  return readings.map(({ integer, decimals, ...rest }) => ({ ...rest, value: exactText(integer, decimals) }));
}

const readings = fc.array(plainReading, { minLength: 1, maxLength: 200 });

describe('a batch', () => {
  test('gives back every reading that was put in, in order', () => {
    fc.assert(
      fc.property(readings, (input) => {
        expect(shown(batchOf(input))).toEqual(plain(input));
      }),
    );
  });

  test('sliced at any place gives the same readings as the whole', () => {
    fc.assert(
      fc.property(readings, fc.nat(), (input, at) => {
        const batch = batchOf(input);
        const cut = at % (input.length + 1);
        const parts = [sliceBatch(batch, 0, cut), sliceBatch(batch, cut, input.length)];
        expect(parts.flatMap(shown)).toEqual(plain(input));
        expect(parts.map(readingCount)).toEqual([cut, input.length - cut]);
        expect(parts[1]!.firstLine).toBe(cut === input.length ? parts[1]!.firstLine : 2 + cut);
      }),
    );
  });

  test('of a regular series is one span and no timestamps', () => {
    const regular = Array.from({ length: 4000 }, (_, slot) => reading(epochMs + slot * 900_000));
    const { spans } = batchOf(regular).columns;
    expect([spans.count.length, spans.count[0], spans.stepMs[0]]).toEqual([1, 4000, 900_000]);
  });

  test('of registers read at one distance is one span of length 0', () => {
    const { spans } = batchOf(
      [0, 1, 2].map((day) => ({ ...reading(epochMs + day * 86_400_000), lengthMs: 0 })),
    ).columns;
    expect([...spans.count, ...spans.stepMs, ...spans.lengthMs]).toEqual([3, 86_400_000, 0]);
  });

  test('has the smallest count of decimals that holds all its values', () => {
    const batch = batchOf([reading(epochMs, 1500, 3), reading(epochMs, 20, 1)]);
    expect(batch.columns.decimals).toBe(1);
    expect([...batch.columns.values]).toEqual([15, 20]);
  });
});

test('compareReadings is a total order: antisymmetric, transitive, 0 only for the same version, value and quality', () => {
  fc.assert(
    fc.property(fc.array(plainReading, { minLength: 3, maxLength: 3 }), (input) => {
      const batch = batchOf(input);
      const [a, b, c] = input.map((_, index) => positionAt(batch, index));
      expect(Math.sign(compareReadings(a!, b!))).toBe(-Math.sign(compareReadings(b!, a!)) || 0);
      if (compareReadings(a!, b!) <= 0 && compareReadings(b!, c!) <= 0) {
        expect(compareReadings(a!, c!)).toBeLessThanOrEqual(0);
      }
      const same =
        input[0]!.declared === input[1]!.declared &&
        input[0]!.quality === input[1]!.quality &&
        compareDecimals(input[0]!.integer, input[0]!.decimals, input[1]!.integer, input[1]!.decimals) === 0;
      expect(compareReadings(a!, b!) === 0).toBe(same);
    }),
  );
});

function reading(startMs: number, integer = 1, decimals = 0): PlainReading {
  return {
    meter: 'm',
    channel: 'import',
    startMs,
    lengthMs: 900_000,
    integer,
    decimals,
    quality: 0,
    unit: 'kWh',
    reason: '',
    declared: 0,
  };
}

function positionAt(batch: ReadingBatch, index: number): ReadingCursor {
  const cursor = new ReadingCursor(batch.columns);
  for (let moved = 0; moved <= index; moved++) {
    cursor.next();
  }
  return cursor;
}
