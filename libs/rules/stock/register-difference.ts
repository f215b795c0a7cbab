// Makes interval readings of a register: from each register reading of the day to the one after it, up to seven days later,
// what was counted in between, on the channel `consumption`. The first reading has none before it, so one is dropped. With
// the dials known (tag `dials`, or the parameter) a register may go past its last number; where that would be more than half
// of all it can show, or than can be counted in the time, it began at 0 anew: what is counted since is a lower bound, noted
// `register-reset` and estimated. Over an exchange of the meter (tag `exchanges`: `2024-03-05T10:30:00Z 12345.6 0.3; …`, when,
// the last reading of the old one and the first of the new one) both are added up; without these readings nothing is made.
// It is activated for the channel of the register by name (`--channel register`).
// Source: NEM13 of AEMO (250 row: previous and current register read); OBIS 1.8.0 (IEC 62056-61).
import { defineRule } from '@meterflow/rule-sdk';
import { registerDifference, type RegisterDifference } from './lib/register-difference.ts';
import { registerFacts } from './lib/register-facts.ts';

export default defineRule({
  name: 'register-difference',
  needs: { emits: ['consumption'], lookAheadDays: 7, tags: ['dials', 'decimals', 'exchanges'] },
  parameters: {
    dials: {
      type: 'number',
      default: 0,
      min: 0,
      max: 12,
      unit: 'digits',
      help: 'Digits before the decimal point, of meters without the tag; 0: not known, nothing rolls over.',
    },
    decimals: {
      type: 'number',
      default: 3,
      min: 0,
      max: 6,
      unit: 'digits',
      help: 'Decimals of the register, of meters without the tag.',
    },
    hourlyMax: {
      type: 'number',
      default: 0,
      min: 0,
      help: 'The most that can be counted in an hour, in the unit of the register; 0: half of all it can show, in any time.',
    },
  },
  onSeries(day, { parameters, tags }) {
    const { registers } = day;
    if (registers.length === 0) {
      return;
    }
    const facts = registerFacts(tags, parameters);
    const difference: RegisterDifference = { value: 0, step: 'counted' };
    let next: Counted | undefined = nextDay(day);
    for (let index = registers.length - 1; index >= 0; index--) {
      const { startMs: fromMs, value: from, quality, unit } = registers[index] as Counted;
      if (from === undefined) {
        continue;
      }
      if (next?.value !== undefined) {
        registerDifference({ fromMs, from, toMs: next.startMs, to: next.value }, facts, difference);
        if (difference.step !== 'unknown') {
          const measured = difference.step !== 'reset' && quality === 'measured' && next.quality === 'measured';
          day.emit('consumption', {
            startMs: fromMs,
            endMs: next.startMs,
            value: difference.value,
            quality: measured ? 'calculated' : 'estimated',
            method: 'register-difference',
            ...(difference.step === 'counted' ? {} : { reason: `register-${difference.step}` }),
            unit,
          });
        }
      }
      next = registers[index];
    }
  },
});

/** A register reading, of this day or a later one. */
interface Counted {
  readonly startMs: number;
  readonly value: number | undefined;
  readonly quality: string;
  readonly unit: string;
}

/** The first register reading after the day. */
function nextDay(day: { later(days: number): { readonly registers: readonly Counted[] } }): Counted | undefined {
  for (let days = 1; days <= 7; days++) {
    const next = day.later(days).registers.find(({ value }) => value !== undefined);
    if (next !== undefined) {
      return next;
    }
  }
  return undefined;
}
