import {
  AggregateBatchBuilder,
  AggregateRow,
  canonicalAggregate,
  setSum,
  SheetCursor,
  wholeWindow,
} from '@meterflow/aggregates';
import { expect, test } from 'vitest';
import { AggregateLines } from './aggregate-lines.ts';

/** Sheets of one row each, one a day. */
function linesOf(...values: readonly (readonly [integer: number, decimals: number])[]): string[] {
  const builder = new AggregateBatchBuilder();
  values.forEach(([integer, decimals], day) => {
    const series = builder.series('m', 'import');
    const [startMs, endMs] = [day * 86_400_000, (day + 1) * 86_400_000];
    builder.begin({ series, startMs, endMs, unit: builder.text('kWh'), decimals });
    const row = Object.assign(new AggregateRow(), { hour: wholeWindow, min: integer, max: integer, count: 1 });
    setSum(row, integer);
    builder.append(row);
  });
  const cursor = new SheetCursor(builder.finish({ tenant: 'acme', level: 'day', ticket: 1, causes: [] }));
  const lines = new AggregateLines({ tenant: 'acme', meter: 'm', channel: 'import' }, 'day');
  return values.map(() => {
    cursor.next();
    const line = lines.lines(cursor);
    expect(line).toBe(`${JSON.stringify(canonicalAggregate(cursor, cursor.rowsFrom))}\n`);
    return line;
  });
}

test('a large value is the same beside a very fine one as alone', () => {
  const large = [9_213_185_531, 0] as const;
  const [alone] = linesOf(large);
  expect(alone).toContain('"sum":"9213185531","min":"9213185531","max":"9213185531"');
  expect(linesOf(large, [-123_456_789, 9])).toEqual([alone, linesOf([0, 0], [-123_456_789, 9])[1]]);
});
