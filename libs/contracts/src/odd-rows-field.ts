import { oddCounts, oddRows, ordinaryRows, type AggregateRows, type OddColumns } from '@meterflow/aggregates';
import { checkSameLength } from './check-spans.ts';
import { MalformedMessageError } from './malformed-message-error.ts';
import { block, type MessageFields, type MessageShape } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import type { WireWriter } from './wire-writer.ts';

const { rowsMax } = messageLimits;

const shape: MessageShape = [
  undefined,
  block('row'),
  block('expected'),
  block('surplus'),
  block('estimated'),
  block('substituted'),
  block('calculated'),
  block('not_billable'),
];
const fieldOf = {
  ...{ expected: 2, surplus: 3, estimated: 4 },
  ...{ substituted: 5, calculated: 6, notBillable: 7 },
} as const satisfies Record<(typeof oddCounts)[number], number>;

/** Writes the counts of rows that are out of the ordinary; nothing where there are none, as in most batches. */
export function writeOddRows(writer: WireWriter, field: number, rows: AggregateRows): void {
  const { odd } = rows;
  if (odd.length === 0) {
    return;
  }
  const { mark } = writer;
  for (const name of oddCounts.toReversed()) {
    const values = rows[name];
    writer.column(
      fieldOf[name],
      odd.map((row) => values[row] as number),
    );
  }
  writer.column(1, odd);
  writer.message(field, mark);
}

/** Reads what {@link writeOddRows} wrote, for rows of which `count` says how many readings each has. */
export function readOddRows(fields: MessageFields, number: number, count: Uint32Array): OddColumns {
  if (!fields.has(number)) {
    return ordinaryRows(count);
  }
  const odd = fields.message(number, shape);
  const row = odd.uint32s(1, rowsMax);
  checkRising(row, count.length, odd.pathOf(1));
  const columns = oddCounts.map((name) => {
    const field = fieldOf[name];
    const values = odd.uint32s(field, rowsMax);
    checkSameLength({ row, [odd.pathOf(field).split('.').at(-1) as string]: values }, odd.path);
    return values;
  });
  return oddRows(count, row, (index, number) => columns[number]?.[index] as number);
}

function checkRising(rows: Uint32Array, end: number, path: string): void {
  let last = -1;
  rows.forEach((row, index) => {
    if (row <= last || row >= end) {
      throw new MalformedMessageError('message-value', `${path}[${index}]`, `${row} is out of place`);
    }
    last = row;
  });
}
