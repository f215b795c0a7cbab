import type { ParquetRow } from '@meterflow/embedded';
import type { Column } from './columns.ts';
import { zonedText } from './zoned-text.ts';

/** RFC 4180 with a header. A cell that is not there is empty; an instant has its offset, a number all its digits. */
export async function* csvRows(
  columns: readonly Column[],
  rows: AsyncIterable<readonly ParquetRow[]>,
  timeZone: string,
): AsyncGenerator<string> {
  const line = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\r\n`;
  yield line(columns.map(({ name }) => name));
  for await (const some of rows) {
    let text = '';
    for (const row of some) {
      text += line(
        row.map((cell, index) => {
          if (cell === null) {
            return '';
          }
          return columns[index]?.kind === 'instant' ? zonedText(cell as number, timeZone) : String(cell);
        }),
      );
    }
    if (text !== '') {
      yield text;
    }
  }
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
