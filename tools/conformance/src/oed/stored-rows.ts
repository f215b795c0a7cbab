import { decimalsMax, formatDecimal, readDecimal } from '@meterflow/readings';

/** One stored reading: value, start and end on the clock that the meter's source shows. */
export interface StoredRow {
  /** As {@link plainValue} writes it. */
  readonly value: string;
  readonly start: string;
  readonly end: string;
}

/** The rows of an expected file: value, start, end. */
export function expectedRows(text: string): readonly StoredRow[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [value = '', start = '', end = ''] = line.split(',').map((field) => field.trim());
      return { value: plainValue(value), start, end };
    });
}

/** The first difference; undefined where both hold the same rows in the same order of time. */
export function firstDifference(stored: readonly StoredRow[], expected: readonly StoredRow[]): string | undefined {
  const [found, wanted] = [stored, expected].map((rows) => rows.map(rowText).sort());
  const count = Math.max(stored.length, expected.length);
  for (let index = 0; index < count; index++) {
    if (found?.[index] !== wanted?.[index]) {
      return `row ${index + 1}: expected ${wanted?.[index] ?? 'no more'}, stored ${found?.[index] ?? 'no more'}`;
    }
  }
  return undefined;
}

function rowText({ value, start, end }: StoredRow): string {
  return `${start} to ${end}: ${value}`;
}

/** The same number in one form: 24.50, 2.45e1 and 24.5. OED counts in float64, of which a reading holds nine decimals. */
export function plainValue(text: string): string {
  const number = readDecimal(text);
  if (!('code' in number)) {
    return formatDecimal(number.integer, number.decimals);
  }
  return number.code === 'too-many-decimals' ? plainValue(Number(text).toFixed(decimalsMax)) : text;
}
