import {
  hasOddRows,
  isOddRow,
  ordinaryRows,
  rareCounts,
  type AggregateRows,
  type OddColumns,
  type RareCount,
} from '@meterflow/aggregates';
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
const expectedField = 2;
const fieldOf = { surplus: 3, estimated: 4, substituted: 5, calculated: 6, notBillable: 7 } as const satisfies Record<
  RareCount,
  number
>;

/** Writes the counts of rows that are out of the ordinary; nothing where there are none, as in most batches. */
export function writeOddRows(writer: WireWriter, field: number, rows: AggregateRows): void {
  if (!hasOddRows(rows)) {
    return;
  }
  const odd = Uint32Array.from(rows.hour.keys()).filter((row) => isOddRow(rows, row));
  if (odd.length === 0) {
    return;
  }
  const { mark } = writer;
  const column = (values: Uint32Array): Uint32Array => odd.map((row) => values[row] as number);
  for (const name of [...rareCounts].reverse()) {
    writer.column(fieldOf[name], column(rows[name]));
  }
  writer.column(expectedField, column(rows.expected));
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
  const dense = (field: number, column: Uint32Array): Uint32Array => {
    const values = odd.uint32s(field, rowsMax);
    checkSameLength({ row, [odd.pathOf(field).split('.').at(-1) as string]: values }, odd.path);
    row.forEach((at, index) => {
      column[at] = values[index] as number;
    });
    return column;
  };
  const rare = (name: RareCount): Uint32Array => dense(fieldOf[name], new Uint32Array(count.length));
  return {
    expected: dense(expectedField, count.slice()),
    surplus: rare('surplus'),
    estimated: rare('estimated'),
    substituted: rare('substituted'),
    calculated: rare('calculated'),
    notBillable: rare('notBillable'),
  };
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
