import {
  AggregateBatchBuilder,
  AggregateRow,
  canonicalAggregate,
  setSum,
  SheetCursor,
  unknownPeak,
  wholeWindow,
} from '@meterflow/aggregates';
import { expect, test } from 'vitest';
import { aggregateWrite } from '../testing/plain-sheets.ts';
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

test('what an aggregate says beside its values is told where it is known, counts where there are any', () => {
  const { batch } = aggregateWrite({
    ticket: 1,
    sheets: [
      { startMs: 0, endMs: 86_400_000, sums: { 0: 5, 255: 5 } },
      { startMs: 86_400_000, endMs: 172_800_000, sums: { 255: 5 }, facts: { expected: 9, surplus: 2, notBillable: 1 } },
      { startMs: 172_800_000, endMs: 259_200_000, sums: { 255: 5 }, facts: { peakOffsetMs: unknownPeak } },
      {
        ...{ startMs: 259_200_000, endMs: 345_600_000, unit: '', sums: { 255: 0 } },
        facts: { count: 0, surplus: 7, peakOffsetMs: 0 },
      },
    ],
  });
  const cursor = new SheetCursor(batch);
  const lines = new AggregateLines({ tenant: 'acme', meter: 'm1', channel: 'import' }, 'day');
  const facts: string[] = [];
  while (cursor.next()) {
    const line = lines.lines(cursor);
    expect(line).toBe(`${JSON.stringify(canonicalAggregate(cursor, cursor.rowsTo - 1))}\n`);
    facts.push(line.slice(line.indexOf('"max"')));
  }
  expect(facts).toEqual([
    '"max":"0.005","count":4,"unit":"kWh","quality":"measured","peakAt":"1970-01-01T00:15:00Z","expected":4}\n',
    '"max":"0.005","count":4,"unit":"kWh","quality":"measured","peakAt":"1970-01-02T00:15:00Z","expected":9,"surplus":2,"notBillable":1}\n',
    '"max":"0.005","count":4,"unit":"kWh","quality":"measured"}\n',
    '"max":null,"count":0,"unit":"","quality":"measured","expected":4,"surplus":7}\n',
  ]);
});
