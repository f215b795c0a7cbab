// Checks that the intervals of a day add up to what the meter's register counted over them, and flags them where they do
// not. The register is read on the same channel or, where that has none, on the channel `register`: its first reading of the
// day, and the one at midnight after it or its last. Gaps in between leave nothing to check. Rollover and exchange are
// followed as by `register-difference`.
// It is activated for a channel by name (`--channel import`), not for a glob: a change of the register must find the
// days of its intervals.
// Source: sum check in California's Standards for Validating, Editing, and Estimating Monthly and Interval Data, and in
// Oracle MDM (Sum Check); the tolerance is the last digit that the register shows, and a share for meters that round each interval.
import { defineRule, type Slot } from '@meterflow/rule-sdk';
import { registerTotal } from './lib/register-total.ts';
import { sumOf } from './lib/total.ts';

export default defineRule({
  name: 'sum-check',
  needs: { lookAheadDays: 1, reads: ['register'], tags: ['dials', 'decimals', 'exchanges'] },
  parameters: {
    tolerance: { type: 'number', default: 1, min: 0, help: 'How far apart they may be, in the unit of the day.' },
    tolerancePercent: {
      type: 'number',
      default: 0,
      min: 0,
      max: 100,
      unit: '%',
      help: 'How far apart they may be as a share of the register’s difference, if that is more.',
    },
    dials: {
      type: 'number',
      default: 0,
      min: 0,
      max: 12,
      unit: 'digits',
      help: 'Digits before the decimal point, of meters without the tag; 0: not known.',
    },
    decimals: {
      type: 'number',
      default: 3,
      min: 0,
      max: 6,
      unit: 'digits',
      help: 'Decimals of the register, of meters without the tag.',
    },
  },
  onSeries(day, { parameters, tags }) {
    const total = registerTotal(day, tags, parameters);
    if (total === undefined) {
      return;
    }
    const { fromSlot, toSlot, value: counted } = total;
    const sum = sumOf(day.values(), fromSlot, toSlot);
    if (Number.isNaN(sum)) {
      return;
    }
    const tolerance = Math.max(parameters.tolerance, (parameters.tolerancePercent / 100) * counted);
    // Sums of binary fractions are off by less than a billionth: what is at the tolerance is within it.
    if (Math.abs(sum - counted) <= tolerance + 1e-9) {
      return;
    }
    for (let index = fromSlot; index < toSlot; index++) {
      (day.slots[index] as Slot).annotate('sum-check');
    }
  },
});
