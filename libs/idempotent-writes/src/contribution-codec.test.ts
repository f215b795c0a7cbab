import { sameContribution, type Contribution } from '@meterflow/aggregates';
import { qualities } from '@meterflow/readings';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContributionDecoder, encodeContribution } from './contribution-codec.ts';
import { CorruptSegmentError } from './corrupt-segment-error.ts';

const quarterMs = 900_000;
const integers = fc.oneof(
  fc.integer({ min: -200, max: 200 }),
  fc.integer({ min: -0x8000, max: 0x7fff }),
  fc.integer(),
  fc.maxSafeInteger(),
);
const contributions = fc
  .record({
    slots: fc.constantFrom(4, 92, 96, 100),
    startMs: fc.nat(2_000_000_000),
    unit: fc.constantFrom('kWh', 'm³'),
    decimals: fc.nat(20),
    divisor: fc.constantFrom(1, 3, 7),
    seed: fc.array(integers, { minLength: 1, maxLength: 9 }),
    counts: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    isWide: fc.boolean(),
  })
  .map(({ slots, startMs, seed, counts, isWide, ...more }): Contribution => ({
    ...more,
    startMs,
    endMs: startMs + slots * quarterMs,
    slotMs: quarterMs,
    sumLow: Float64Array.from({ length: slots }, (_, slot) => seed[slot % seed.length] as number),
    sumHigh: Float64Array.from({ length: slots }, (_, slot) => (isWide ? (seed[slot % seed.length] as number) : 0)),
    counts: Uint32Array.from(
      { length: slots * qualities.length },
      (_, at) => counts[(at >> 4) % counts.length] as number,
    ),
  }));

const decoder = new ContributionDecoder();
const damages = fc.record({ at: fc.nat(), byte: fc.nat(255), isCut: fc.boolean() });

describe('a stored contribution', () => {
  test('comes back as it was written', () => {
    fc.assert(
      fc.property(contributions, (contribution) => {
        const bytes = encodeContribution(contribution);
        const found = decoder.read(bytes);
        expect(sameContribution(found, contribution)).toBe(true);
        expect(encodeContribution(found)).toEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });

  test('is refused, and nothing else happens, where it is damaged', () => {
    fc.assert(
      fc.property(contributions, damages, (contribution, { at, byte, isCut }) => {
        const bytes = encodeContribution(contribution);
        bytes[at % bytes.length] = byte;
        const damaged = isCut ? bytes.subarray(0, at % bytes.length) : bytes;
        try {
          decoder.read(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptSegmentError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('of a member with a day of measured quarters takes some two bytes a slot', () => {
    const counts = new Uint32Array(96 * qualities.length).fill(1, 0, 96);
    const sumLow = Float64Array.from({ length: 96 }, (_, slot) => slot * 7);
    const day = { startMs: 0, endMs: 96 * quarterMs, slotMs: quarterMs, unit: 'kWh', decimals: 3, divisor: 1 };
    expect(encodeContribution({ ...day, sumLow, sumHigh: new Float64Array(96), counts }).length).toBeLessThan(220);
  });
});
