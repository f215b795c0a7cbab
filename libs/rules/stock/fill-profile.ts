// Fills gaps of a closed day, of any length, with the shape of a standard load profile. The profile is a parameter: the
// table as its publisher gives it out, with months and kinds of day (WT, SA, FT) above its columns; on the command line
// `profile=@h25.csv`. Where enough of the day is measured the profile is scaled to that, elsewhere to the yearly consumption
// (tag `yearlyUse`, or the parameter). Holidays have the profile of Sundays, 24 and 31 December that of Saturdays.
// Source: BDEW standard load profiles 2025 (12 months × workday, Saturday, Sunday and holiday; 1,000,000 kWh a year; the
// dynamic ones times a polynomial of the day of the year); Oracle MDM (Interval Profile Estimation). The values are the publisher's, and not part of meterflow.
import { defineRule, type SeriesDay } from '@meterflow/rule-sdk';
import { readProfile, type KindOfDay, type Profile } from './lib/profile.ts';

export default defineRule({
  name: 'fill-profile',
  needs: { tags: ['yearlyUse'] },
  parameters: {
    profile: { type: 'string', help: 'The table of the profile: numbers for equal stretches of the day.' },
    yearlyUse: {
      type: 'number',
      default: 0,
      min: 0,
      help: 'Consumption in a year of meters without the tag, in the unit of the day; 0: not known, days without measured values stay.',
    },
    profileYear: { type: 'number', default: 1_000_000, min: 0, help: 'What the profile adds up to in a year.' },
    dynamic: {
      type: 'boolean',
      default: false,
      help: 'Whether the profile is a dynamic one of BDEW (H25, P25, S25; H0).',
    },
    measuredPercentMin: {
      type: 'number',
      default: 50,
      min: 0,
      max: 100,
      unit: '%',
      help: 'From this share of measured intervals on the profile is scaled to them.',
    },
    holidays: { type: 'string', default: '', help: 'Days that count as Sundays: 2024-12-25,2024-12-26.' },
  },
  onSeries(day, { parameters, tags }) {
    if (!day.closed || day.slots.every(({ value }) => value !== undefined)) {
      return;
    }
    const profile = readProfile(parameters.profile, monthOf(day), kindOf(day, parameters.holidays));
    const yearly = Number(tags['yearlyUse'] ?? parameters.yearlyUse) / parameters.profileYear;
    const { factor, unit } = measuredFactor(day, profile, parameters.measuredPercentMin) ?? {
      factor: yearly * (parameters.dynamic ? dynamic(day) : 1),
      unit: day.unit,
    };
    if (!(factor > 0)) {
      return;
    }
    const minutes = day.intervalMs / 60_000;
    for (const slot of day.slots) {
      if (slot.value === undefined) {
        slot.fill(factor * profile.weight(slot.minuteOfDay, minutes), { method: 'profile', unit });
      }
    }
  },
});

/** What the profile is multiplied by to give what was measured, in its unit; undefined where too little was, or not in one unit. */
function measuredFactor(
  { slots, intervalMs }: SeriesDay,
  profile: Profile,
  percentMin: number,
): { readonly factor: number; readonly unit: string } | undefined {
  const present = slots.filter(({ value }) => value !== undefined);
  const unit = present[0]?.unit;
  if (unit === undefined || present.length * 100 < percentMin * slots.length) {
    return undefined;
  }
  let measured = 0;
  let expected = 0;
  for (const slot of present) {
    measured += slot.value ?? 0;
    expected += profile.weight(slot.minuteOfDay, intervalMs / 60_000);
  }
  return expected > 0 && present.every((slot) => slot.unit === unit)
    ? { factor: measured / expected, unit }
    : undefined;
}

function monthOf({ date }: SeriesDay): number {
  return Number(date.slice(5, 7));
}

function kindOf({ date, weekday }: SeriesDay, holidays: string): KindOfDay {
  if (weekday === 7 || holidays.includes(date)) {
    return 'sunday';
  }
  return weekday === 6 || date.endsWith('-12-24') || date.endsWith('-12-31') ? 'saturday' : 'workday';
}

/** The factor of the dynamic profiles, for the day of the year. */
function dynamic({ date }: SeriesDay): number {
  const day = (Date.parse(date) - Date.parse(`${date.slice(0, 4)}-01-01`)) / 86_400_000 + 1;
  return -3.92e-10 * day ** 4 + 3.2e-7 * day ** 3 - 7.02e-5 * day ** 2 + 2.1e-3 * day + 1.24;
}
