import type { Mapping } from './mapping.ts';
import { fieldNames, type FieldName } from './row.ts';
import { UnreadableSourceError } from './unreadable-source-error.ts';

type ColumnChoice = Mapping['time']['column'];

interface Wanted {
  readonly field: FieldName;
  readonly column: ColumnChoice;
  readonly optional: boolean;
}

/** Which column of a source holds what. */
export interface CsvLayout {
  readonly columnCount: number;
  /** Index of each field's column; -1 for none. */
  readonly columnOf: Readonly<Record<FieldName, number>>;
  /** What people call the columns: the name in the header, or the number. */
  readonly shownNames: readonly string[];
}

/** The fields that a mapping takes from columns. */
export function wantedColumns(mapping: Mapping): Wanted[] {
  const { meter, channel, time, interval, value, unit, quality, version } = mapping;
  const wanted = (field: FieldName, from: object): Wanted[] =>
    'column' in from
      ? [{ field, column: from.column as ColumnChoice, optional: 'optional' in from && from.optional === true }]
      : [];
  return [
    ...wanted('meter', meter),
    ...wanted('channel', channel),
    ...wanted('time', time),
    ...wanted('end', interval.end ?? {}),
    ...wanted('value', value),
    ...wanted('unit', unit),
    ...wanted('quality', quality ?? {}),
    ...wanted('version', version ?? {}),
  ];
}

/**
 * Finds the mapping's columns in a header, or, where `names` is undefined, by number among `columnCount` columns.
 * Throws {@link UnreadableSourceError} naming all that are missing.
 */
export function csvLayout(mapping: Mapping, names: readonly string[] | undefined, columnCount: number): CsvLayout {
  const columnOf = Object.fromEntries(fieldNames.map((field) => [field, -1])) as Record<FieldName, number>;
  const missing: string[] = [];
  for (const { field, column, optional } of wantedColumns(mapping)) {
    const index = columnIndex(column, names, columnCount);
    columnOf[field] = index;
    failOnTwins(names ?? [], index);
    if (index < 0 && !optional) {
      missing.push(`${field} (${choices(column).join(' or ')})`);
    }
  }
  if (missing.length > 0) {
    const found = names === undefined ? `${columnCount} columns` : names.slice(0, 20).join(',').slice(0, 400);
    throw new UnreadableSourceError(
      'missing-column',
      `mapping ${mapping.name} does not find the columns of: ${missing.join(', ')}. The source has: ${found}`,
    );
  }
  const shownNames = Array.from({ length: columnCount }, (_, index) => names?.[index] ?? `${index + 1}`);
  return { columnCount, columnOf, shownNames };
}

/** True where every column that the mapping needs is in the header. */
export function fitsHeader(mapping: Mapping, names: readonly string[]): boolean {
  return wantedColumns(mapping).every(
    ({ column, optional }) => optional || columnIndex(column, names, names.length) >= 0,
  );
}

function columnIndex(column: ColumnChoice, names: readonly string[] | undefined, columnCount: number): number {
  for (const choice of choices(column)) {
    const index = typeof choice === 'number' ? choice - 1 : nameIndex(names, choice);
    if (index >= 0 && index < columnCount) {
      return index;
    }
  }
  return -1;
}

function nameIndex(names: readonly string[] | undefined, name: string): number {
  return names?.findIndex((candidate) => sameName(candidate, name)) ?? -1;
}

function failOnTwins(names: readonly string[], index: number): void {
  const name = names[index];
  if (name !== undefined && names.filter((candidate) => sameName(candidate, name)).length > 1) {
    throw new UnreadableSourceError('duplicate-column', `the header names the column ${name} more than once`);
  }
}

/** Columns are found whatever their case and the white space at their ends. */
function sameName(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

export function choices(column: ColumnChoice): readonly (string | number)[] {
  return Array.isArray(column) ? column : [column];
}
