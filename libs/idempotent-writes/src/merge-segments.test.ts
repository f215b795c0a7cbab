import { ReadingCursor } from '@meterflow/readings';
import { batchHeader, batchOf, epochMs, plainReading, type PlainReading } from '@meterflow/readings/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSegment, encodeSegment } from './segment-codec.ts';
import { SegmentMerger } from './merge-segments.ts';
import { dayMs } from './segment-format.ts';
import { expectedState } from './testing/plain-state.ts';

const day = epochMs / dayMs;
const slotMs = 900_000;

function reading(slot: number, change: Partial<PlainReading> = {}): PlainReading {
  return {
    meter: 'm1',
    channel: 'import',
    startMs: epochMs + slot * slotMs,
    lengthMs: slotMs,
    integer: slot + 1,
    decimals: 3,
    quality: 0,
    unit: 'kWh',
    reason: '',
    declared: 0,
    ...change,
  };
}

function segment(readings: readonly PlainReading[], acceptedAtMs = 1_000): Uint8Array {
  return encodeSegment(batchOf(readings, { ...batchHeader, acceptedAtMs }).columns, day);
}

function startsOf(blob: Uint8Array): number[] {
  return decodeSegment(blob, day).flatMap((columns) => {
    const cursor = new ReadingCursor(columns);
    const starts: number[] = [];
    while (cursor.next()) {
      starts.push((cursor.startMs - epochMs) / slotMs);
    }
    return starts;
  });
}

test('segments of single slots become the segment that one batch of them would have made', () => {
  const slots = [3, 0, 1, 2, 7];
  const one = segment(slots.toSorted().map((slot) => reading(slot)));
  const merged = new SegmentMerger().merge(
    slots.map((slot) => segment([reading(slot)])),
    day,
  );
  expect(merged).toMatchObject({ blob: one, replaced: undefined });
  expect(merged.extent).toEqual({ firstMs: epochMs, lastMs: epochMs + 7 * slotMs });
});

test('where segments meet, the later version stays and the other is what was replaced', () => {
  const early = segment([reading(0, { integer: 1 }), reading(1)], 1_000);
  const late = segment([reading(0, { integer: 2 })], 2_000);
  for (const blobs of [
    [early, late],
    [late, early],
  ]) {
    const { blob } = new SegmentMerger().merge(blobs, day);
    expect(decodeSegment(blob, day)[0]?.values[0]).toBe(2);
    expect(startsOf(blob)).toEqual([0, 1]);
  }
  const { replaced } = new SegmentMerger().merge([early, late], day);
  expect(startsOf(replaced!)).toEqual([0]);
});

test('after a merge in which segments met, the next one starts empty', () => {
  const merger = new SegmentMerger();
  merger.merge([segment([reading(0), reading(5)]), segment([reading(5)], 2_000)], day);
  expect(startsOf(merger.merge([segment([reading(1)]), segment([reading(2)])], day).blob)).toEqual([1, 2]);
});

test('both ways leave what a reading-by-reading merge leaves, in any order', () => {
  const batches = fc.array(
    fc.record({
      acceptedAtMs: fc.constantFrom(1_000, 2_000),
      readings: fc.array(plainReading.map(inDay), { minLength: 1, maxLength: 6 }),
    }),
    { minLength: 1, maxLength: 6 },
  );
  const merger = new SegmentMerger();
  fc.assert(
    fc.property(batches, (all) => {
      const single = all.flatMap(({ acceptedAtMs, readings }) =>
        readings.map((one) => ({ acceptedAtMs, blob: segment([one], acceptedAtMs) })),
      );
      const identities = expectedState(all).size;
      const forward = merger.merge(
        single.map(({ blob }) => blob),
        day,
      );
      const backward = merger.merge(single.map(({ blob }) => blob).reverse(), day);
      expect(forward.blob).toEqual(backward.blob);
      expect(startsOf(forward.blob)).toHaveLength(identities);
    }),
    { numRuns: 200 },
  );
});

function inDay(one: PlainReading): PlainReading {
  return { ...one, meter: 'm1', channel: 'import', startMs: epochMs + ((one.startMs - epochMs) % dayMs) };
}
