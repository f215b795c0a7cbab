import { z } from 'zod';
import { isTimeZone } from '../time-zone.ts';
import { timeOfDayMs } from './time-of-day.ts';

/** More repeats than any source is known to send. */
const repeatsMax = 100;
const toleranceMsMax = 366 * 86_400_000;

const timeOfDay = z
  .string()
  .refine((text) => timeOfDayMs(text) !== undefined, 'is no time of day such as 23:45, 23:45:00 or 23:45:00.5');
const tolerance = z.number().min(0).max(toleranceMsMax).default(0);

const cumulative = z.strictObject({
  reset: z
    .union([z.enum(['never', 'anytime']), z.strictObject({ from: timeOfDay, to: timeOfDay })])
    .default('never')
    .describe(
      'When the counter may begin at 0 again: at intervals that start between these times of day, both included, across midnight where `from` is the later. At any other time a counter that goes back is an error.',
    ),
});

const wallClock = z.strictObject({
  zone: z.string().refine(isTimeZone, 'is not an IANA time zone').default('UTC').describe('Whose clocks change.'),
  changes: z
    .enum(['as-shown', 'evened'])
    .default('as-shown')
    .describe(
      'as-shown: stamps stand as they were written. evened: every day has 24 hours. A reading across the hour that clocks skip is split around it by time; what lies in the hour that they repeat, the second time, is left out, and a reading that reaches beyond it counts for its part beyond.',
    ),
});

/** What makes a line depend on the lines of its series before it, also on those of sources before. */
export const sequenceSchema = z.strictObject({
  order: z
    .enum(['ascending', 'descending'])
    .default('ascending')
    .describe('Whether the earliest or the latest line of a series stands first.'),
  repeats: z
    .int()
    .min(1)
    .max(repeatsMax)
    .default(1)
    .describe('Every line of a series stands so many times; the first of them counts.'),
  stamps: z
    .enum(['start-and-end', 'end-only'])
    .default('start-and-end')
    .describe('end-only: time.column is the end, and the interval starts where the line before it ends.'),
  cumulative: cumulative
    .optional()
    .describe('Values are those of a counter at the end of the interval; the reading is what it rose by.'),
  gapMsMax: tolerance.describe(
    'So far may a line start from where the one before it ends: more is remarked, and where values are cumulative the line is left out.',
  ),
  lengthVariationMsMax: tolerance.describe(
    'So much may an interval be longer or shorter than the one before; more is remarked.',
  ),
  wallClock: wallClock
    .optional()
    .describe(
      'Readings stand at what the clocks of their source showed, taken as UTC, instead of at instants: for whoever counts in days of clocks.',
    ),
});

export type SequenceSettings = z.output<typeof sequenceSchema>;
