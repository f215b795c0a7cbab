/** One stored reading: value, start and end on the clock that the meter's source shows. */
export interface StoredRow {
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
      return { value: plain(value), start, end };
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

/** The same number in one form: 24.50 and 24.5. */
function plain(value: string): string {
  return /^-?\d+\.\d+$/.test(value) ? value.replace(/\.?0+$/, '') : value;
}
