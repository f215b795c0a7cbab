import { batchOf, epochMs, plainReading, type PlainReading } from '@meterflow/readings/testing';
import { canonicalReading, ReadingCursor, type ReadingColumns } from '@meterflow/readings';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CorruptSegmentError } from './corrupt-segment-error.ts';
import { decodeSegment, encodeSegment, SegmentColumnsReader } from './segment-codec.ts';
import { SegmentMerger } from './merge-segments.ts';
import { ofNextFormat } from './testing/next-format.ts';
import { UnstorableBatchError } from './unstorable-batch-error.ts';

const day = 19_723;
const slotMs = 900_000;

function dayOf(values: (slot: number) => number, change: Partial<PlainReading> = {}): PlainReading[] {
  return Array.from({ length: 96 }, (_, slot) => ({
    meter: 'm1',
    channel: 'import',
    startMs: epochMs + slot * slotMs,
    lengthMs: slotMs,
    integer: values(slot),
    decimals: 3,
    quality: 0,
    unit: 'kWh',
    reason: '',
    declared: 0,
    ...change,
  }));
}

/** Readings of one series within the first day: what one segment can hold. */
const oneDay = fc
  .uniqueArray(plainReading, {
    maxLength: 50,
    minLength: 1,
    selector: ({ startMs, lengthMs }) => `${startMs} ${lengthMs}`,
  })
  .map((readings) =>
    readings
      .filter(({ startMs }) => startMs < epochMs + 96 * slotMs)
      .map((reading) => ({ ...reading, meter: 'm1', channel: 'import' })),
  )
  .filter((readings) => readings.length > 0);

function rows(sets: readonly ReadingColumns[]): unknown[] {
  return sets.flatMap((columns) => {
    const cursor = new ReadingCursor(columns);
    const found: unknown[] = [];
    while (cursor.next()) {
      const { versionIndex: version } = cursor;
      found.push([
        canonicalReading('t', { meter: 'm1', channel: 'import', layer: 'raw' }, cursor),
        columns.versions.acceptedAtMs[version],
      ]);
    }
    return found;
  });
}

describe('encodeSegment and decodeSegment', () => {
  test('readings come back sorted, otherwise as they were', () => {
    const property = fc.property(oneDay, (readings) => {
      const { columns } = batchOf(readings);
      const sorted = [...readings].sort((a, b) => a.startMs - b.startMs || a.lengthMs - b.lengthMs);
      expect(rows(decodeSegment(encodeSegment(columns, day), day))).toEqual(rows([batchOf(sorted).columns]));
    });
    fc.assert(property, { numRuns: 200 });
  });

  test('the same readings give the same bytes, whatever order they were in', () => {
    const property = fc.property(oneDay, (readings) => {
      const bytes = encodeSegment(batchOf(readings).columns, day);
      expect(encodeSegment(batchOf([...readings].reverse()).columns, day)).toEqual(bytes);
      const [columns] = decodeSegment(bytes, day) as [ReadingColumns];
      expect(encodeSegment(columns, day)).toEqual(bytes);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test.each([
    ['one byte', (slot: number) => slot, 96],
    ['two bytes', (slot: number) => 300 + slot, 192],
    ['four bytes', (slot: number) => 1_000_001 + slot, 384],
    ['eight bytes', (slot: number) => 2 ** 50 + 2 * slot + 1, 768],
  ])('a usual day takes %s a value and less than 50 beside', (_, values, bytes) => {
    const blob = encodeSegment(batchOf(dayOf(values)).columns, day);
    expect(blob.length).toBeGreaterThan(bytes);
    expect(blob.length).toBeLessThan(bytes + 50);
  });

  test('a day pushed live, a version for each reading, takes less than 8 bytes a reading beside', () => {
    const readings = dayOf((slot) => 300 + slot).map((reading, slot) => ({
      ...reading,
      declared: 1_700_000_000_000 + slot * 901_234,
    }));
    expect(encodeSegment(batchOf(readings).columns, day).length).toBeLessThan(192 + 96 * 8 + 50);
  });

  test('decimals are the fewest that hold the values', () => {
    const [columns] = decodeSegment(encodeSegment(batchOf(dayOf((slot) => slot * 100)).columns, day), day);
    expect(columns?.decimals).toBe(1);
    expect(columns?.values[95]).toBe(95);
  });

  test('a reader of many days gives what reading each by itself gives', () => {
    const reader = new SegmentColumnsReader();
    const property = fc.property(oneDay, (readings) => {
      const blob = encodeSegment(batchOf(readings).columns, day);
      expect(reader.read(blob, day)).toEqual(decodeSegment(blob, day));
    });
    fc.assert(property, { numRuns: 200 });
  });

  test('what the next format adds is passed over, and merged with what is of this one', () => {
    const merger = new SegmentMerger();
    const property = fc.property(oneDay, fc.uint8Array({ maxLength: 200 }), (readings, added) => {
      const blob = encodeSegment(batchOf(readings).columns, day);
      const next = ofNextFormat(blob, added);
      expect(decodeSegment(next, day)).toEqual(decodeSegment(blob, day));
      expect(merger.merge([next, blob], day)).toEqual(merger.merge([blob, blob], day));
    });
    fc.assert(property, { numRuns: 50 });
  });

  test('columns that contradict themselves are refused', () => {
    const { columns } = batchOf(dayOf((slot) => slot));
    const broken: Partial<ReadingColumns>[] = [
      { decimals: 10 },
      { values: columns.values.map(() => 0.5) },
      { values: columns.values.map(() => NaN) },
      { values: columns.values.map(() => 2 ** 53) },
      { quality: { ends: Uint32Array.of(96), values: Uint32Array.of(5) } },
      { unit: { ends: Uint32Array.of(95), values: Uint32Array.of(0) } },
      { reason: { ends: Uint32Array.of(96), values: Uint32Array.of(7) } },
      { version: { ends: Uint32Array.of(96), values: Uint32Array.of(1) } },
      { versions: { ...columns.versions, declared: Float64Array.of(-1) } },
      { versions: { ...columns.versions, ticket: Float64Array.of(0.5) } },
    ];
    for (const change of broken) {
      expect(() => encodeSegment({ ...columns, ...change }, day)).toThrow(UnstorableBatchError);
    }
  });
});

describe('decoding what no encoder wrote', () => {
  const decode = (bytes: Uint8Array): 'decoded' | 'refused' => {
    try {
      decodeSegment(bytes, day);
      return 'decoded';
    } catch (error) {
      expect(error).toBeInstanceOf(CorruptSegmentError);
      return 'refused';
    }
  };

  test('random bytes are a clear error or some readings, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decode(bytes);
        decode(Uint8Array.of(1, ...bytes));
        decode(Uint8Array.of(2, ...bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  test('a blob with bytes changed is a clear error or some readings', () => {
    const property = fc.property(
      oneDay,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (readings, changes) => {
        const blob = encodeSegment(batchOf(readings).columns, day);
        changes.forEach(([at, byte]) => {
          blob[at % blob.length] = byte;
        });
        decode(blob);
      },
    );
    fc.assert(property, { numRuns: 1_000 });
  });

  test('a blob cut anywhere but between sets is refused', () => {
    const blob = encodeSegment(batchOf(dayOf((slot) => slot)).columns, day);
    for (let length = 0; length < blob.length; length++) {
      expect(decode(blob.subarray(0, length)), `cut to ${length}`).toBe(length === 1 ? 'decoded' : 'refused');
    }
  });

  test('counts that lie are refused before anything of their size is made', () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    expect(decode(Uint8Array.of(1, ...huge))).toBe('refused');
    expect(decode(Uint8Array.of(2, ...huge))).toBe('refused');
    expect(decode(Uint8Array.of(1, 1, 0, ...huge))).toBe('refused');
    expect(decode(Uint8Array.of(1, 1, 0, 1, 0, 0, 0, 1, 5, ...huge))).toBe('refused');
    expect(decode(Uint8Array.of(1, 1, 0, 1, 0, 0, 0, 1, 5, 0, ...huge))).toBe('refused');
  });

  test('another format is named', () => {
    expect(() => decodeSegment(Uint8Array.of(9), day)).toThrow('a segment of format 9; this build reads 1 to 2');
  });
});
