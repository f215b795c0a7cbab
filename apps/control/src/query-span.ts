import { calendarOf, UnknownTimeZoneError } from '@meterflow/aggregates';
import { Problem } from '@meterflow/http';
import { identifierCharsMax, qualities } from '@meterflow/readings';
import { z } from 'zod';
import { formatNames } from './tabular/answer-format.ts';

export const dayMs = 86_400_000;
const dateChars = '2013-01-01'.length;
/** A query spans no more than this, so that an empty one ends soon too. */
const spanDaysMax = 50 * 366;
/** One read of the store is of a day at first, and no more than of about a year, */
const windowMs = 400 * dayMs;
/** or, of what may have a row a minute (a stream, or windows made of readings), of a month; */
export const denseWindowMs = 31 * dayMs;
/** in between of so many times more than the one before, as long as that promises no more rows than are wanted at once. */
const windowGrowthMax = 4;
const rowsPerPageDefault = 10_000;
const rowsPerPageMax = 50_000;

const instantText = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/,
    'not an instant like 2013-01-01T00:00:00Z, or a date like 2013-01-01',
  )
  .refine((text) => !Number.isNaN(Date.parse(text)), 'there is no such instant');

/** An instant as a person writes it: `2013-01-01T00:00:00Z`, with any offset, or a date alone, which is UTC. */
export const instant = instantText.transform((text) => Date.parse(text));

/** The same where the question names a zone: a date alone is that of the zone, see {@link inZone}. */
const zonedInstant = instantText.transform((text) => ({
  utcMs: Date.parse(text),
  isDate: text.length === dateChars,
}));

const zoneCharsMax = 64;
/** A zone that the calendars know. */
const timeZone = z
  .string()
  .min(1)
  .max(zoneCharsMax)
  .refine(isTimeZone, 'not a time zone of the IANA database, like Europe/Zurich')
  .default('UTC');

/** Qualities, parted by commas. */
const qualityList = z
  .string()
  .max(200)
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(qualities)).min(1))
  .optional();

/** How the rows of a query are chosen and written, beside the span. */
export const tableQuery = {
  from: zonedInstant.describe('first instant, ISO 8601 with offset, or a date of the zone'),
  to: zonedInstant.describe('first instant that is not in it any more'),
  zone: timeZone.describe(
    'whose clocks the instants of the answer show, and whose dates `from`, `to` and `asOf` are where they have no time; days and months stay those of the series',
  ),
  quality: qualityList.describe(`those of these qualities alone, parted by commas: ${qualities.join(', ')}`),
  asOf: zonedInstant.optional().describe('as it was known at this instant: from what had been accepted by then'),
  format: z.enum(formatNames).optional().describe('stands before the Accept header; json comes in pages'),
};

type ZonedInstant = z.infer<typeof zonedInstant>;

interface ZonedQuestion {
  readonly zone: string;
  readonly from: ZonedInstant;
  readonly to: ZonedInstant;
  readonly asOf?: ZonedInstant | undefined;
}

/** The instants of a question, each date as where that day of the zone begins. */
export function inZone<Question extends ZonedQuestion>(
  question: Question,
): Omit<Question, 'from' | 'to' | 'asOf'> & {
  readonly from: number;
  readonly to: number;
  readonly asOf: number | undefined;
} {
  const { zone, from, to, asOf } = question;
  const instantMs = ({ utcMs, isDate }: ZonedInstant): number =>
    isDate ? calendarOf(zone).dayStartMs(utcMs / dayMs) : utcMs;
  return { ...question, from: instantMs(from), to: instantMs(to), asOf: asOf && instantMs(asOf) };
}

/** What every query of one series asks for. */
export const seriesQuery = {
  meter: z.string().min(1).max(identifierCharsMax),
  channel: z.string().min(1).max(identifierCharsMax).describe('import, export, …'),
  from: instant.describe('first instant, ISO 8601 with offset, or a date of UTC'),
  to: instant.describe('first instant that is not in it any more'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(rowsPerPageMax)
    .optional()
    .describe(`rows of a page; ${rowsPerPageDefault} unless told`),
  after: z
    .string()
    .regex(/^-?\d{1,16}\.\d{1,16}$/, 'not the `next` of a page')
    .optional()
    .describe('the `next` of the page before'),
};

/** Where a page ends: the last row's start and length. */
export interface Position {
  readonly startMs: number;
  readonly lengthMs: number;
}

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** What to ask for with `after`; absent on the last page. */
  readonly next: string | undefined;
}

/** How much of a span is read at once. */
export interface Reads {
  readonly windowMsMax?: number | undefined;
  /** So many rows are wanted at once; that of a day may be more. */
  readonly rowsAtOnce?: number;
}

/**
 * One page of a series, read window by window until it is full. `read` gives the rows of [fromMs, toMs) in order of
 * start and length. Throws Problem `invalid-request` for a span that no query may have.
 */
export async function pageOf<Row extends Position>(
  span: Span,
  read: (fromMs: number, toMs: number) => Promise<readonly Row[]>,
  windowMsMax = windowMs,
): Promise<Page<Row>> {
  const { limit = rowsPerPageDefault } = span;
  const rows: Row[] = [];
  for await (const some of rowSets(span, read, { windowMsMax, rowsAtOnce: limit + 1 })) {
    for (const row of some) {
      rows.push(row);
    }
    if (rows.length > limit) {
      break;
    }
  }
  const last = rows[limit - 1];
  const more = rows.length > limit && last !== undefined;
  return { rows: rows.slice(0, limit), next: more ? `${last.startMs}.${last.lengthMs}` : undefined };
}

/** All rows of a span after its position, a window of the store at a time; the next is read when it is asked for. */
export async function* rowSets<Row extends Position>(
  span: Span,
  read: (fromMs: number, toMs: number) => Promise<readonly Row[]>,
  { windowMsMax = denseWindowMs, rowsAtOnce = rowsPerPageMax }: Reads = {},
): AsyncGenerator<readonly Row[]> {
  if (!(span.from <= span.to) || span.to - span.from > spanDaysMax * dayMs) {
    throw new Problem('invalid-request', `\`from\` must lie before \`to\`, by ${spanDaysMax} days at most`);
  }
  const after = position(span.after);
  let fromMs = Math.max(span.from, after?.startMs ?? span.from);
  let days = 1;
  while (fromMs < span.to) {
    const toMs = Math.min(fromMs + days * dayMs, span.to);
    const rows = await read(fromMs, toMs);
    yield after === undefined ? rows : rows.filter((row) => isAfter(row, after));
    fromMs = toMs;
    const fittingDays = rows.length === 0 ? Infinity : Math.max(1, Math.floor((days * rowsAtOnce) / rows.length));
    days = Math.min(windowMsMax / dayMs, windowGrowthMax * days, fittingDays);
  }
}

function position(text: string | undefined): Position | undefined {
  const [startMs, lengthMs] = (text ?? '').split('.').map(Number);
  return startMs === undefined || lengthMs === undefined ? undefined : { startMs, lengthMs };
}

function isAfter(row: Position, { startMs, lengthMs }: Position): boolean {
  return row.startMs > startMs || (row.startMs === startMs && row.lengthMs > lengthMs);
}

function isTimeZone(name: string): boolean {
  try {
    calendarOf(name);
    return true;
  } catch (error) {
    if (error instanceof UnknownTimeZoneError) {
      return false;
    }
    throw error;
  }
}
