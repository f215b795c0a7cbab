import { splitCsvLine } from '@meterflow/formats';

/** A row by the names of its columns. */
export type CsvRow = Readonly<Record<string, string>>;

/** Reads a small table with a header line, its columns apart by semicolons. Throws Error naming the line. */
export function csvTable(text: string): readonly CsvRow[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  const [header = [], ...rows] = lines.map((line, index) => {
    const fields = splitCsvLine(line, ';');
    if (!Array.isArray(fields)) {
      throw new Error(`line ${index + 1}: ${fields.reason}`);
    }
    return fields.map((field) => field.trim());
  });
  return rows.map((fields, index) => {
    if (fields.length !== header.length) {
      throw new Error(`line ${index + 2}: ${fields.length} fields, the header has ${header.length}`);
    }
    return Object.fromEntries(header.map((name, column) => [name, fields[column] as string]));
  });
}
