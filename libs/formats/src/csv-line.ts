import type { RowProblem } from './row.ts';

/**
 * Splits one line of CSV into its fields: quoted ones may hold delimiters and doubled quotes, and white space around
 * any field is dropped. A line break always ends a line, also between quotes: then a quote too many costs one line and
 * not the rest of the file, and a meter's readings hold no line breaks. What stands after such a break is no line either:
 * a field that does not begin with a quote holds none.
 */
export function splitCsvLine(line: string, delimiter: string): string[] | RowProblem {
  const fields: string[] = [];
  let position = 0;
  for (;;) {
    position = skipBlanks(line, position, delimiter);
    if (line[position] === '"') {
      const end = closingQuote(line, position);
      if (end < 0) {
        return { field: 'line', code: 'unclosed-quote', reason: 'a quoted field has no closing quote' };
      }
      fields.push(
        line
          .slice(position + 1, end)
          .replaceAll('""', '"')
          .trim(),
      );
      position = skipBlanks(line, end + 1, delimiter);
      if (position < line.length && line[position] !== delimiter) {
        return { field: 'line', code: 'stray-quote', reason: 'something follows the closing quote of a field' };
      }
    } else {
      const next = line.indexOf(delimiter, position);
      const end = next < 0 ? line.length : next;
      const field = line.slice(position, end);
      if (field.includes('"')) {
        const reason = 'a quote stands within a field that does not begin with one';
        return { field: 'line', code: 'stray-quote', reason };
      }
      fields.push(field.trim());
      position = end;
    }
    if (position >= line.length) {
      return fields;
    }
    position += 1;
  }
}

function closingQuote(line: string, opening: number): number {
  for (let position = opening + 1; ; position += 2) {
    position = line.indexOf('"', position);
    if (position < 0 || line[position + 1] !== '"') {
      return position;
    }
  }
}

function skipBlanks(line: string, from: number, delimiter: string): number {
  let position = from;
  while ((line[position] === ' ' || line[position] === '\t') && line[position] !== delimiter) {
    position += 1;
  }
  return position;
}
