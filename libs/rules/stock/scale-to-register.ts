// Scales what was estimated of a day so that its intervals add up to what the meter's register counted, to the last
// decimal: the roundings of the parts cancel out. What was measured, or entered by hand (quality `substituted`),
// stays as it is. The register is read as by `sum-check`;
// where an interval has no value after all, or the measured ones are more than the register counted, nothing changes.
// Comes after the rules that estimate.
// It is activated for a channel by name (`--channel import`), not for a glob: as `sum-check`.
// Source: Oracle MDM (Interval Adjustment From Scalar).
import { defineRule, type SeriesDay, type Slot } from '@meterflow/rule-sdk';
import { registerTotal, type RegisterTotal } from './lib/register-total.ts';
import { partOf } from './lib/spread.ts';

export default defineRule({
  name: 'scale-to-register',
  needs: { lookAheadDays: 1, reads: ['register'], tags: ['dials', 'decimals', 'exchanges'] },
  parameters: {
    decimals: {
      type: 'number',
      default: 3,
      min: 0,
      max: 6,
      unit: 'digits',
      help: 'Decimals of the intervals and of the register; at most those of the activation.',
    },
    dials: {
      type: 'number',
      default: 0,
      min: 0,
      max: 12,
      unit: 'digits',
      help: 'Digits before the decimal point, of meters without the tag; 0: not known.',
    },
  },
  onSeries(day, { parameters, tags }) {
    const total = day.closed ? registerTotal(day, tags, parameters) : undefined;
    const sums = total === undefined ? undefined : sumsOf(day, total);
    if (total === undefined || sums === undefined) {
      return;
    }
    const left = total.value - sums.measured;
    if (sums.count > 0 && left >= 0 && sums.estimated >= 0) {
      scale(day.slots.slice(total.fromSlot, total.toSlot), { left, sums, decimals: parameters.decimals });
    }
  },
});

interface Sums {
  measured: number;
  estimated: number;
  /** How many intervals are estimated. */
  count: number;
}

/** Gives each estimated interval its part of what is left. Estimates of nothing but 0 give no shape: each gets the same. */
function scale(
  slots: readonly Slot[],
  { left, sums, decimals }: { readonly left: number; readonly sums: Sums; readonly decimals: number },
): void {
  const isFlat = sums.estimated === 0;
  const sum = isFlat ? sums.count : sums.estimated;
  let before = 0;
  for (const slot of slots.filter(isEstimated)) {
    const weight = isFlat ? 1 : (slot.value ?? 0);
    slot.value = partOf(left, { before, weight, sum }, decimals);
    slot.method = `${slot.method === '' ? 'estimated' : slot.method}, scaled`;
    before += weight;
  }
}

function isEstimated({ quality }: Slot): boolean {
  return quality === 'estimated';
}

/** Undefined where an interval has no value. */
function sumsOf({ slots }: SeriesDay, { fromSlot, toSlot }: RegisterTotal): Sums | undefined {
  const sums: Sums = { measured: 0, estimated: 0, count: 0 };
  for (let index = fromSlot; index < toSlot; index++) {
    const slot = slots[index];
    if (slot?.value === undefined) {
      return undefined;
    }
    if (isEstimated(slot)) {
      sums.estimated += slot.value;
      sums.count += 1;
    } else {
      sums.measured += slot.value;
    }
  }
  return sums;
}
