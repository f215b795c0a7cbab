// Multiplies all readings of a day, registers too, by the constant of the meter: the ratio of its transformers, or what a
// pulse counts. The series' tag `multiplier` says it, the parameter where there is no such tag. (A constant that is the same
// for all meters is `convert-unit`, which needs no look at the registry.)
// Source: Oracle MDM (Multiplier Check); IEC 62056-61
// (OBIS 0.4.2 and 0.4.3: current and voltage transformer ratio).
import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'multiplier',
  needs: { tags: ['multiplier'] },
  parameters: {
    factor: { type: 'number', default: 1, help: 'The factor of meters without the tag.' },
  },
  onSeries(day, { parameters, tags }) {
    const { multiplier } = tags;
    const factor = multiplier === undefined ? parameters.factor : Number(multiplier);
    if (factor === 1) {
      return;
    }
    if (!Number.isFinite(factor)) {
      throw new Error(`the tag multiplier must be a number, not ${String(multiplier)}`);
    }
    for (const readings of [day.slots, day.registers]) {
      for (const reading of readings) {
        if (reading.value !== undefined) {
          reading.value *= factor;
        }
      }
    }
  },
});
