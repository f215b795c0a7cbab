import { batchHeader, batchOf, epochMs, type PlainReading } from '@meterflow/readings/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupMerger } from './merge-group.ts';
import type { OutcomeCounts } from './outcome.ts';

/** One stretch of a file: a meter's next readings, or some of its former ones once more, perhaps otherwise. */
interface Stretch {
  readonly meter: string;
  readonly kind: 'next' | 'again' | 'changed' | 'gap' | 'other label';
  readonly count: number;
  readonly back: number;
}

const stretch: fc.Arbitrary<Stretch> = fc.record({
  meter: fc.constantFrom('m1', 'm2'),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('next' as const) },
    { weight: 4, arbitrary: fc.constantFrom('again' as const) },
    { weight: 1, arbitrary: fc.constantFrom('changed' as const, 'gap' as const, 'other label' as const) },
  ),
  count: fc.integer({ min: 1, max: 12 }),
  back: fc.integer({ min: 0, max: 15 }),
});

function readingsOf(stretches: readonly Stretch[]): PlainReading[] {
  const next = new Map<string, number>();
  return stretches.flatMap(({ meter, kind, count, back }) => {
    const end = next.get(meter) ?? 0;
    const isBack = kind === 'again' || kind === 'changed';
    const from = isBack ? Math.max(0, end - back) : kind === 'gap' ? end + 3 : end;
    next.set(meter, Math.max(end, from + count));
    return Array.from({ length: count }, (_, index): PlainReading => ({
      meter,
      channel: 'import',
      startMs: epochMs + (from + index) * 900_000,
      lengthMs: 900_000,
      integer: (from + index) * 10 + (kind === 'changed' ? 1 : 0),
      decimals: 2,
      quality: kind === 'other label' ? 1 : 0,
      unit: 'kWh',
      reason: '',
      declared: 0,
    }));
  });
}

/** The blobs and outcomes of a group of batches merged into an empty store. */
function merged(
  batches: readonly PlainReading[][],
  generalOnly: boolean,
): { blobs: string[]; counts: OutcomeCounts[] } {
  const merger = new GroupMerger({ generalOnly });
  merger.begin();
  const numbers = batches.map((readings) => {
    const batch = batchOf(readings, batchHeader);
    return merger.add(
      batch,
      Int32Array.from(batch.series, ({ meter }) => (meter === 'm1' ? 0 : 1)),
    );
  });
  merger.sort();
  const blobs: string[] = [];
  while (merger.next()) {
    blobs.push(`${merger.series} ${merger.day} ${Buffer.from(merger.merge(undefined) ?? []).toString('hex')}`);
    blobs.push(Buffer.from(merger.history() ?? []).toString('hex'));
  }
  return { blobs, counts: numbers.map((number) => merger.outcomes(number)) };
}

test('days in pieces, some of them told again, are merged as reading by reading', () => {
  const batches = fc.array(fc.array(stretch, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 3 });
  const property = fc.property(batches, (groups) => {
    const all = readingsOf(groups.flat());
    let from = 0;
    const cut = groups.map((stretches) => {
      const count = stretches.reduce((sum, each) => sum + each.count, 0);
      from += count;
      return all.slice(from - count, from);
    });
    expect(merged(cut, false)).toEqual(merged(cut, true));
  });
  fc.assert(property, { numRuns: 500 });
});

test('a line that comes again leaves the bytes as they are and counts as duplicate', () => {
  const next = (meter: string, count: number): Stretch => ({ meter, kind: 'next', count, back: 0 });
  const again: Stretch = { meter: 'm1', kind: 'again', count: 1, back: 5 };
  const plain = merged([readingsOf([next('m1', 30)])], false);
  const repeated = merged([readingsOf([next('m1', 20), next('m2', 1), next('m1', 10), again])], false);
  expect(repeated.blobs[0]).toBe(plain.blobs[0]);
  expect(repeated.counts).toEqual([{ inserted: 31, superseded: 0, shadowed: 0, duplicate: 1, conflict: 0 }]);
});
