import { decimalsMax, isIdentifier, qualities, unitNames, type Quality, type Unit } from '@meterflow/readings';
import { z } from 'zod';
import { columnsMax, skippedLinesMax } from './limits.ts';
import { sequenceSchema, type SequenceSettings } from './sequence/sequence-settings.ts';
import { isStampFormat } from './stamp-format.ts';
import { isTimeZone } from './time-zone.ts';

const columnName = z.string().trim().min(1).max(200);
const columnNumber = z.int().min(1).max(columnsMax);
const column = z
  .union([
    columnName,
    columnNumber,
    z
      .array(z.union([columnName, columnNumber]))
      .min(1)
      .max(16),
  ])
  .describe(
    'Name in the header (white space at its ends and case do not matter), number from 1, or several to try in this order. In JSON: the exact name of a field.',
  );
const optional = z
  .boolean()
  .default(false)
  .describe('True where a source without this column, or a line with an empty field, is fine.');
const constant = <T extends z.ZodType>(value: T) => z.strictObject({ constant: value });

const identifier = z.string().refine(isIdentifier, 'is not 1 to 64 printable characters');
const text = z.union([z.strictObject({ column }), constant(identifier)]);

const unitName = z.enum(unitNames as readonly [Unit, ...Unit[]]);
const unit = z.union([
  z.strictObject({
    column,
    names: z.record(z.string().max(64), unitName).default({}).describe("The source's own names of units."),
  }),
  constant(unitName),
]);

const stampFormat = z
  .string()
  .max(40)
  .refine(
    isStampFormat,
    'is neither iso, lenient, epoch-seconds, epoch-milliseconds nor a pattern of YYYY MM DD HH mm ss SSS',
  )
  .default('iso')
  .describe(
    'iso (2024-03-31T01:30:00, with Z, an offset or none), lenient (also 2021/06/02, 6/2/2021 and 06-02-2021 with the month first, Jun 2, 2021), epoch-seconds, epoch-milliseconds, or a pattern such as DD.MM.YYYY HH:mm.',
  );

const time = z.strictObject({
  column,
  format: stampFormat,
  zone: z
    .string()
    .refine(isTimeZone, 'is not an IANA time zone')
    .default('UTC')
    .describe('IANA name of the zone of stamps that carry no offset themselves.'),
  label: z
    .enum(['start', 'end'])
    .default('start')
    .describe('Whether the stamp names the start or the end of the interval.'),
});

const interval = z.strictObject({
  length: z
    .string()
    .regex(/^(auto|register|[1-9]\d{0,4}[smhd])$/, 'is neither auto, register nor a length such as 30m')
    .default('auto')
    .describe(
      '15m, 1h, 1d …; register: counters without an interval; auto: the most frequent step at the beginning of the source.',
    ),
  end: z
    .strictObject({ column, optional })
    .optional()
    .describe("A column with the interval's end, which goes before `length`."),
  offGrid: z
    .enum(['reject', 'accept'])
    .default('reject')
    .describe(
      'What becomes of a start that is no multiple of the length since local midnight, where the length is given.',
    ),
});

const value = z.strictObject({
  column,
  decimalsMax: z.int().min(0).max(decimalsMax).default(decimalsMax).describe('A value with more decimals is rejected.'),
  decimalMark: z.enum(['.', ',']).default('.'),
  nullTexts: z
    .array(z.string().max(32))
    .max(32)
    .default(['', 'null', 'nan'])
    .describe('Texts that mean "no value" (case does not matter): the line is rejected by the name no-value.'),
});

const quality = z.strictObject({
  column,
  optional,
  codes: z
    .record(z.string().max(32), z.enum(qualities as unknown as readonly [Quality, ...Quality[]]))
    .optional()
    .describe("What the source's codes mean; the code itself is kept beside. Without this table the names are ours."),
  default: z.enum(qualities).default('measured').describe('For lines with an empty field.'),
});

const version = z.strictObject({
  column,
  optional,
  kind: z
    .enum(['revision', 'created'])
    .describe('A whole number that grows with each revision, or the time it was made.'),
});

/** How the lines of a provider's files and requests become readings. Written by people, in YAML or JSON. */
export const mappingSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'is not 1 to 63 of a-z, 0-9 and inner dashes'),
    description: z.string().max(1_000).optional(),
    delimiter: z.enum([',', ';', '\t', '|', ' ']).default(','),
    header: z.boolean().default(true).describe('Whether the first line (after the skipped ones) names the columns.'),
    skipLines: z
      .int()
      .min(0)
      .max(skippedLinesMax)
      .default(0)
      .describe('Lines before the header, or before the readings where there is none.'),
    meter: text,
    channel: text,
    time,
    interval: interval.prefault({}),
    value,
    unit,
    quality: quality.optional(),
    version: version.optional(),
    sequence: sequenceSchema
      .optional()
      .describe('For sources whose lines say something only after those before them, also those of earlier sources.'),
    onBadLine: z
      .enum(['skip', 'reject-source'])
      .default('skip')
      .describe(
        'skip: a bad line costs only itself. reject-source: one bad line and nothing of the source is taken; a line that `sequence` leaves out for its place among the others is none.',
      ),
  })
  .refine((mapping) => !(mapping.time.label === 'end' && mapping.interval.end), {
    path: ['interval', 'end'],
    message: 'contradicts time.label end: then time.column is the end already',
  })
  .refine((mapping) => !(mapping.time.label === 'end' && mapping.interval.length === 'register'), {
    path: ['time', 'label'],
    message: 'must be start for registers, which have no interval',
  })
  .refine(hasBothEnds, {
    path: ['sequence', 'stamps'],
    message: 'must be end-only where neither interval.end nor interval.length tells how long a reading is',
  })
  .refine(({ interval, sequence }) => sequence?.stamps !== 'end-only' || interval.end === undefined, {
    path: ['interval', 'end'],
    message: 'contradicts sequence.stamps end-only: then time.column is the end already',
  });

function hasBothEnds({
  interval,
  sequence,
}: {
  interval: { end?: unknown; length: string };
  sequence?: SequenceSettings | undefined;
}): boolean {
  if (sequence === undefined || sequence.stamps === 'end-only') {
    return true;
  }
  return interval.end !== undefined || (interval.length !== 'auto' && interval.length !== 'register');
}

export type Mapping = z.output<typeof mappingSchema>;
export type MappingInput = z.input<typeof mappingSchema>;

/** Thrown for a mapping that breaks the schema; `problems` names every one, with its path. */
export class InvalidMappingError extends Error {
  override readonly name = 'InvalidMappingError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the mapping is not valid: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

/** Checks a mapping in object form and fills its defaults. Throws {@link InvalidMappingError}. */
export function parseMapping(input: unknown): Mapping {
  const parsed = mappingSchema.safeParse(input);
  if (parsed.success) {
    return parsed.data;
  }
  throw new InvalidMappingError(
    parsed.error.issues.map((issue) => `${issue.path.map(String).join('.') || 'mapping'}: ${issue.message}`),
  );
}

/** The JSON Schema by which editors check and complete a mapping. */
export function mappingJsonSchema(): Record<string, unknown> {
  return { title: 'meterflow mapping', ...z.toJSONSchema(mappingSchema, { io: 'input' }) };
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Whether lengths that no line tells come from the registry, or else from how rows follow each other. */
export function deducesLengths({ interval }: Mapping): boolean {
  return interval.length === 'auto';
}

/** The mapping's interval length: 0 for registers, undefined where it is to be deduced. */
export function intervalMsOf(mapping: Mapping): number | undefined {
  const { length } = mapping.interval;
  if (length === 'auto') {
    return undefined;
  }
  return length === 'register' ? 0 : Number(length.slice(0, -1)) * (unitMs[length.slice(-1)] as number);
}
