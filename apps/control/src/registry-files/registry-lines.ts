import { splitCsvLine } from '@meterflow/formats';
import { identifierCharsMax, isIdentifier } from '@meterflow/readings';
import {
  groupMeter,
  groupOfMeter,
  instantMsMax,
  seriesFactsSchema,
  seriesSettingsPartSchema,
  type SeriesChange,
  type TagValue,
} from '@meterflow/registry';
import { z } from 'zod';
import { linesOf, type FileLine } from './lines.ts';

/** A line that was not taken. */
export interface RegistryReject {
  readonly line: number;
  /** '' for the line as a whole. */
  readonly column: string;
  readonly reason: string;
}

/** A change, and the line that says it; or why it says none. */
export type RegistryLine =
  { readonly line: number; readonly change: SeriesChange } | { readonly reject: RegistryReject };
export type RegistryFormat = 'csv' | 'ndjson';

const cellSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);
type Cell = z.infer<typeof cellSchema>;
type Cells = ReadonlyMap<string, Cell>;

const columnsMax = 100;
/** What is not one of these columns is a tag of that name. */
const own = [
  'meter',
  'channel',
  'time_zone',
  'interval',
  'unit',
  'decimals',
  'calendars',
  'since',
  'group',
  'valid_from',
  'valid_to',
];
const groupsPerLineMax = 100;
const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Thrown when nothing of a file can be read: its header says no meter, or is none. */
export class RegistryHeaderError extends Error {
  override readonly name = 'RegistryHeaderError';
}

/** In place of names: a series has no calendars, whatever its tenant's defaults say. */
export const noCalendars = '-';

export interface RegistryFile {
  readonly format: RegistryFormat;
  /** The names of the tenant's calendars. */
  readonly calendars: ReadonlySet<string>;
}

/** Each line of a registry file as a change, or why it is none; columns that are empty say nothing. */
export async function* registryLines(
  bytes: AsyncIterable<Uint8Array>,
  { format, calendars }: RegistryFile,
): AsyncGenerator<RegistryLine> {
  let header: readonly string[] | undefined;
  let delimiter = ',';
  for await (const line of linesOf(bytes)) {
    if (line.text === undefined) {
      yield rejected(line, '', line.problem ?? '');
    } else if (format === 'ndjson') {
      yield jsonLine(line, line.text, calendars);
    } else if (header === undefined) {
      delimiter = line.text.includes(';') && !line.text.includes(',') ? ';' : ',';
      header = headerOf(line.text, delimiter);
    } else {
      yield csvLine(line, { header, cells: splitCsvLine(line.text, delimiter), calendars });
    }
  }
}

function headerOf(text: string, delimiter: string): readonly string[] {
  const names = splitCsvLine(text.replace(/^\ufeff/, ''), delimiter);
  if (!Array.isArray(names) || !names.includes('meter')) {
    throw new RegistryHeaderError('the first line names the columns, one of them `meter`');
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined || names.length > columnsMax) {
    throw new RegistryHeaderError(
      twice === undefined ? `more than ${columnsMax} columns` : `the column ${twice.slice(0, 64)} stands there twice`,
    );
  }
  return names;
}

interface CsvLine {
  readonly header: readonly string[];
  readonly cells: ReturnType<typeof splitCsvLine>;
  readonly calendars: ReadonlySet<string>;
}

function csvLine(line: FileLine, { header, cells, calendars }: CsvLine): RegistryLine {
  if (!Array.isArray(cells)) {
    return rejected(line, '', cells.reason);
  }
  if (cells.length !== header.length) {
    return rejected(line, '', `has ${cells.length} fields, and the header ${header.length}`);
  }
  const said = header.flatMap((name, index) => (cells[index] === '' ? [] : [[name, cells[index] ?? ''] as const]));
  return changeOf(line, new Map(said), calendars);
}

function jsonLine(line: FileLine, text: string, calendars: ReadonlySet<string>): RegistryLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return rejected(line, '', 'is no JSON');
  }
  const parsed = z.record(z.string(), z.unknown()).safeParse(value);
  if (!parsed.success) {
    return rejected(line, '', 'is no JSON object');
  }
  const { tags, ...rest } = parsed.data;
  const tagRecord = z.record(z.string(), z.unknown()).optional().safeParse(tags);
  if (!tagRecord.success) {
    return rejected(line, 'tags', 'is no object');
  }
  const cells = new Map<string, Cell>();
  for (const [column, cell] of [...Object.entries(rest), ...Object.entries(tagRecord.data ?? {})]) {
    const known = cellSchema.safeParse(cell);
    if (!known.success) {
      return rejected(line, column, 'is no text, number, true or false');
    }
    cells.set(column, known.data);
  }
  return changeOf(line, cells, calendars);
}

/** Thrown within a line; told with its column. */
class ColumnError extends Error {
  readonly column: string;

  constructor(column: string, reason: string) {
    super(reason);
    this.column = column;
  }
}

function changeOf(line: FileLine, said: Cells, calendars: ReadonlySet<string>): RegistryLine {
  try {
    return { line: line.number, change: parseChange(said, calendars) };
  } catch (error) {
    if (error instanceof ColumnError) {
      return rejected(line, error.column, error.message);
    }
    if (error instanceof z.ZodError) {
      return { reject: refusedSettings(line.number, error) };
    }
    throw error;
  }
}

/** By what settings call it, the column that says it. */
const columnOf: Readonly<Record<string, string>> = {
  timeZone: 'time_zone',
  formerTimeZones: 'time_zone',
  formerCalendars: 'calendars',
  intervalMs: 'interval',
  intervalChanges: 'interval',
  tagChanges: 'tags',
  groups: 'group',
  sinceMs: 'since',
};

/** What is wrong with the settings that a line makes, by column. */
export function refusedSettings(line: number, { issues: [issue] }: z.ZodError): RegistryReject {
  const [first = '', ...rest] = (issue?.path ?? []).map(String);
  return { line, column: columnOf[first] ?? [first, ...rest].join('.'), reason: issue?.message ?? '' };
}

function parseChange(said: Cells, calendars: ReadonlySet<string>): SeriesChange {
  const meter = identifier('meter', textIn(said, 'meter') ?? '');
  if (groupOfMeter(meter) !== undefined) {
    throw new ColumnError('meter', `begins with ${groupMeter('')}, as those of groups do`);
  }
  const since = textIn(said, 'since');
  return {
    series: { meter, channel: identifier('channel', textIn(said, 'channel') ?? 'import') },
    validity: validityOf(textIn(said, 'valid_from'), textIn(said, 'valid_to')),
    part: seriesSettingsPartSchema.parse({
      ...(said.has('time_zone') ? { timeZone: textIn(said, 'time_zone') } : {}),
      ...(said.has('unit') ? { unit: textIn(said, 'unit') } : {}),
      ...(said.has('calendars') ? { calendars: calendarsIn(textIn(said, 'calendars') ?? '', calendars) } : {}),
      ...(said.has('decimals') ? { decimals: Number(textIn(said, 'decimals')) } : {}),
    }),
    facts: factsIn(said),
    ...(since === undefined ? {} : { sinceMs: instant('since', since) }),
  };
}

function factsIn(said: Cells): SeriesChange['facts'] {
  const interval = said.get('interval');
  const tags = [...said].filter(([name]) => !own.includes(name)).map(([name, value]) => [name, tagOf(value)] as const);
  return seriesFactsSchema.parse({
    ...(interval === undefined ? {} : { intervalMs: intervalOf(interval) }),
    ...(tags.length === 0 ? {} : { tags: Object.fromEntries(tags) }),
    ...(said.has('group') ? { groups: groupsOf(textIn(said, 'group') ?? '') } : {}),
  });
}

function textIn(said: Cells, column: string): string | undefined {
  const value = said.get(column) ?? undefined;
  return value === undefined ? undefined : String(value);
}

function identifier(column: string, text: string): string {
  if (!isIdentifier(text)) {
    throw new ColumnError(
      column,
      text === '' ? 'is missing' : `is not 1 to ${identifierCharsMax} printable characters`,
    );
  }
  return text;
}

function validityOf(from: string | undefined, to: string | undefined): SeriesChange['validity'] {
  const fromMs = from === undefined ? -instantMsMax : instant('valid_from', from);
  if (to === undefined) {
    return { fromMs };
  }
  const toMs = instant('valid_to', to);
  if (toMs <= fromMs) {
    throw new ColumnError('valid_to', 'is not after valid_from');
  }
  return { fromMs, toMs };
}

/** An instant says its offset: a registry has many zones, and midnight is another in each. */
function instant(column: string, text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/.test(text)
    ? Date.parse(text)
    : NaN;
  if (Number.isNaN(ms)) {
    throw new ColumnError(column, 'is not an instant with its offset, like 2024-01-01T00:00:00+01:00');
  }
  return ms;
}

function intervalOf(value: Cell): number | null {
  if (value === null || typeof value === 'number') {
    return value;
  }
  const [, count, unit] = /^([1-9]\d{0,10})(ms|s|m|h|d)$/.exec(String(value)) ?? [];
  if (count === undefined || unit === undefined) {
    throw new ColumnError('interval', 'is not a length, like 15m or 1h');
  }
  return Number(count) * unitMs[unit as keyof typeof unitMs];
}

function namesIn(text: string): readonly string[] {
  return text.split(';').map((name) => name.trim());
}

function calendarsIn(text: string, known: ReadonlySet<string>): readonly string[] {
  const names = text.trim() === noCalendars ? [] : namesIn(text);
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) {
    const shown = unknown.slice(0, identifierCharsMax);
    const reason = `there is no calendar ${shown}: make it first (meterflow calendars put), or say ${noCalendars} for none`;
    throw new ColumnError('calendars', reason);
  }
  return names;
}

function groupsOf(text: string): Record<string, true> {
  const names = namesIn(text);
  if (names.length > groupsPerLineMax) {
    throw new ColumnError('group', `names more than ${groupsPerLineMax} groups`);
  }
  return Object.fromEntries(names.map((name) => [name, true] as const));
}

/** A text that is written as a number is shown stays a number; codes with leading zeros stay texts. */
function tagOf(value: Cell): TagValue | null {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  if (value === 'true' || value === 'false') {
    return value === 'true';
  }
  return Number.isFinite(Number(value)) && String(Number(value)) === value ? Number(value) : value;
}

function rejected(line: FileLine, column: string, reason: string): RegistryLine {
  return { reject: { line: line.number, column, reason } };
}
