import { lanePattern, lanes } from '@meterflow/contracts';
import { z } from 'zod';
import { ConfigurationError } from './configuration-error.ts';

/** A month can be computed again as long as readings of it are taken only if its days are kept for so much longer. */
const monthDaysMax = 31;
const days = (byDefault: number): z.ZodDefault<z.ZodInt> => z.int().min(1).max(36_600).default(byDefault);
/** Twenty years: longer than any provider corrects, and the public samples of 2012 are still taken. */
const readingsDaysDefault = 7_305;

const tableDays = z
  .strictObject({
    readings: days(readingsDaysDefault).describe('after the day that the readings are of; older ones are refused'),
    dayAggregates: days(readingsDaysDefault + monthDaysMax).describe("hours and days, after the window's end"),
    monthAggregates: days(readingsDaysDefault + monthDaysMax).describe("months and years, after the window's end"),
    receipts: days(400).describe('sources, their rejected lines and what became of their batches'),
    uploads: days(7).describe('bodies that a request left behind'),
    deadLetters: days(400),
  })
  .refine(({ readings, dayAggregates }) => dayAggregates >= readings + monthDaysMax, {
    path: ['dayAggregates'],
    error: `must be ${monthDaysMax} days more than readings: a month is computed from all of its days`,
  })
  .refine(({ dayAggregates, monthAggregates }) => monthAggregates >= dayAggregates, {
    path: ['monthAggregates'],
    error: 'must be as long as dayAggregates',
  });

const laneList = z
  .array(z.string().regex(lanePattern, '1 to 32 of a-z, 0-9 and inner -, a letter first'))
  .min(1)
  .max(16)
  .refine((names) => new Set(names).size === names.length, 'each lane once')
  .default([...lanes]);

/**
 * What a system on Google consists of: read by the provisioning, which makes it, and by every service, which relies on
 * it. Each part may be left out: then it is as said here.
 */
const platformFileSchema = z
  .strictObject({
    $schema: z.string().optional().describe('for editors'),
    lanes: laneList.describe('each has topics and subscriptions of its own'),
    messages: z
      .strictObject({
        ackDeadlineSeconds: z.int().min(10).max(600).default(60).describe('how long a lease holds unless renewed'),
        retentionDays: z.int().min(1).max(31).default(7).describe('how far a replay reaches, and a backlog at most'),
      })
      .prefault({}),
    tables: z
      .strictObject({
        prefix: z
          .string()
          .regex(/^[\w.-]{0,20}$/, 'at most 20 letters, digits, -, _ and .')
          .default('')
          .describe('before the name of every table: several systems in one instance'),
        retentionDays: tableDays.prefault({}),
      })
      .prefault({}),
    warehouse: z
      .strictObject({
        dataset: z.string().regex(/^\w{1,1024}$/, 'letters, digits and _'),
        location: z.string().min(1).describe('EU, US or a region; never changes'),
      })
      .optional()
      .describe('BigQuery beside the primary store; without it nothing is kept for one'),
  })
  .describe('What a meterflow system on Google consists of');

export interface PlatformFile {
  readonly lanes: readonly string[];
  readonly messages: Parsed['messages'];
  readonly tables: Parsed['tables'];
  readonly warehouse?: NonNullable<Parsed['warehouse']>;
}

type Parsed = z.infer<typeof platformFileSchema>;

/** Throws ConfigurationError naming every problem; `path` is for the message. */
export function parsePlatformFile(text: string, path: string): PlatformFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`✖ ${path} is not JSON: ${(error as Error).message}`);
  }
  const parsed = platformFileSchema.safeParse(json);
  if (!parsed.success) {
    throw new ConfigurationError(`${path}:\n${z.prettifyError(parsed.error)}`);
  }
  const { lanes: laneNames, messages, tables, warehouse } = parsed.data;
  return { lanes: laneNames, messages, tables, ...(warehouse === undefined ? {} : { warehouse }) };
}

/** What holds where no file is named. */
export const builtInPlatform: PlatformFile = parsePlatformFile('{}', 'what is built in');

/** For editors: stands beside the file. */
export function platformJsonSchema(): object {
  return z.toJSONSchema(platformFileSchema, { io: 'input' });
}
