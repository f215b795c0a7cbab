import { tableFromIPC, type Table } from 'apache-arrow';
import { expect, test } from 'vitest';
import { arrowRows } from './arrow-rows.ts';
import type { ParquetColumn, ParquetRow } from './parquet-rows.ts';

const columns: readonly ParquetColumn[] = [
  { name: 'meter', kind: 'text' },
  { name: 'start', kind: 'instant' },
  { name: 'value', kind: 'decimal' },
  { name: 'count', kind: 'count' },
];

async function tableOf(sets: readonly ParquetRow[][]): Promise<Table> {
  // eslint-disable-next-line @typescript-eslint/require-await -- sets come one by one
  const rows = (async function* () {
    yield* sets;
  })();
  const pieces: Uint8Array[] = [];
  for await (const piece of arrowRows(columns, rows, 'Europe/Zurich')) {
    pieces.push(piece);
  }
  return tableFromIPC(Buffer.concat(pieces));
}

test('a stream of sets has every digit, every instant with its zone, and what is absent', async () => {
  const table = await tableOf([
    [
      ['é', 1_711_846_800_123, '9007199.254740991', 9_007_199_254_740_991],
      [null, null, null, null],
    ],
    [],
    [['b', -1, '-0.5', 0]],
  ]);
  expect(table.schema.fields.map(({ type }) => String(type))).toEqual([
    'Utf8',
    'Timestamp<MILLISECOND, Europe/Zurich>',
    'Decimal[38e+9]',
    'Int64',
  ]);
  expect(table.getChild('meter')?.toJSON()).toEqual(['é', null, 'b']);
  expect(table.getChild('start')?.toJSON()).toEqual([1_711_846_800_123, null, -1]);
  expect(table.getChild('count')?.toJSON()).toEqual([9_007_199_254_740_991n, null, 0n]);
  const words = table.getChild('value')?.toArray() as Uint32Array;
  const integers = [0, 4, 8].map((at) =>
    BigInt.asIntN(
      128,
      [...words.subarray(at, at + 4)].reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n),
    ),
  );
  expect(integers).toEqual([9_007_199_254_740_991n, 0n, -500_000_000n]);
});

test('nothing is a table without rows', async () => {
  expect((await tableOf([])).numRows).toBe(0);
});
