import type { Quality } from '@meterflow/readings';
import type { Contribution, DaySlots } from '../groups/contribution.ts';
import type { WrittenReading } from './reading-columns.ts';
import { fraction, type ShownSlot } from './shown-contribution.ts';

/** A series and when it belongs to the group, as tests write it down. All readings are of one unit. */
export interface WrittenMember {
  readonly readings: readonly WrittenReading[];
  readonly stretches: readonly { readonly fromMs: number; readonly toMs: number; readonly intervalMs: number }[];
}

const decimals = 12;

/** The slots of a group the slow, plain way: every slot asks every reading of every member, in fractions of BigInt. */
export function referenceGroup(members: readonly WrittenMember[], day: DaySlots): ShownSlot[] {
  const starts: number[] = [];
  for (let startMs = day.startMs; startMs < day.endMs; startMs += day.slotMs) {
    starts.push(startMs);
  }
  return starts.map((startMs) => {
    let [numerator, denominator] = [0n, 1n];
    const series: Partial<Record<Quality, number>> = {};
    for (const member of members) {
      const slot = memberSlot(member, day, startMs);
      numerator = numerator * slot.denominator + slot.numerator * denominator;
      denominator *= slot.denominator;
      if (slot.quality !== undefined) {
        series[slot.quality] = (series[slot.quality] ?? 0) + 1;
      }
    }
    return { sum: fraction(numerator, denominator * 10n ** BigInt(decimals)), series };
  });
}

interface MemberSlot {
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly quality: Quality | undefined;
}

function memberSlot({ readings, stretches }: WrittenMember, day: DaySlots, slotMs: number): MemberSlot {
  const qualities: Quality[] = [];
  let [numerator, denominator] = [0n, 1n];
  for (const { fromMs, toMs, intervalMs } of stretches) {
    const due = dueIn(day, slotMs, intervalMs).filter((instantMs) => instantMs >= fromMs && instantMs < toMs);
    const parts = BigInt(Math.max(1, intervalMs / day.slotMs));
    for (const dueMs of due) {
      const reading = readings.find(({ startMs, lengthMs }) => startMs === dueMs && lengthMs === intervalMs);
      qualities.push(reading?.quality ?? 'missing');
      if (reading !== undefined && reading.quality !== 'missing') {
        const value = BigInt(reading.integer) * 10n ** BigInt(decimals - reading.decimals);
        numerator = numerator * parts + value * denominator;
        denominator *= parts;
      }
    }
  }
  return { numerator, denominator, quality: oneOf(qualities) };
}

/** The starts of the intervals due in a slot: those that begin in it, or the one that covers it. */
function dueIn(day: DaySlots, slotMs: number, intervalMs: number): number[] {
  const starts: number[] = [];
  for (let dueMs = day.startMs - intervalMs; dueMs < day.endMs; dueMs += intervalMs) {
    const covers = dueMs <= slotMs && slotMs < dueMs + intervalMs;
    const begins = dueMs >= slotMs && dueMs < slotMs + day.slotMs;
    if (intervalMs > day.slotMs ? covers : begins) {
      starts.push(dueMs);
    }
  }
  return starts;
}

/** The rule of windows, as far as a series says one thing of a slot. */
function oneOf(found: readonly Quality[]): Quality | undefined {
  const kinds = [...new Set(found)];
  if (kinds.length <= 1) {
    return kinds[0];
  }
  if (kinds.includes('calculated')) {
    return 'calculated';
  }
  return kinds.includes('estimated') || kinds.includes('substituted') || kinds.includes('missing')
    ? 'estimated'
    : 'measured';
}

/** Every column's bytes: what two canonical contributions that are equal have in common. */
export function contributionBytes({ decimals: places, divisor, sumHigh, sumLow, counts }: Contribution): string {
  const bytes = [sumHigh, sumLow, counts].map(({ buffer, byteOffset, byteLength }) =>
    [...new Uint8Array(buffer, byteOffset, byteLength)].join(),
  );
  return [places, divisor, ...bytes].join('|');
}
