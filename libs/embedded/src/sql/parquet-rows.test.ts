import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { decimalInteger, parquetRows, type ParquetColumn, type ParquetRow } from './parquet-rows.ts';

const columns: readonly ParquetColumn[] = [
  { name: 'meter "a"', kind: 'text' },
  { name: 'start', kind: 'instant' },
  { name: 'value', kind: 'decimal' },
  { name: 'count', kind: 'count' },
];

test('a file of all sets has every digit, every instant, and what is absent', async () => {
  const rows: readonly ParquetRow[][] = [
    [
      ['é,"x"', 1_711_846_800_123, '-12345678901234567890.123456789', 9_007_199_254_740_991],
      [null, null, null, null],
    ],
    [],
    [['b', -1, '0.5', 0]],
  ];
  const folder = mkdtempSync(join(tmpdir(), 'parquet-'));
  const pieces: Uint8Array[] = [];
  // eslint-disable-next-line @typescript-eslint/require-await -- sets come one by one
  const sets = (async function* () {
    yield* rows;
  })();
  for await (const piece of parquetRows(columns, sets)) {
    pieces.push(piece);
  }
  const file = join(folder, 'rows.parquet');
  writeFileSync(file, Buffer.concat(pieces));
  const connection = await (await DuckDBInstance.create()).connect();
  const found = await connection.runAndReadAll(
    `select "meter ""a""", epoch_ms(start)::varchar, value::varchar, count::varchar, typeof(value), typeof(start) from '${file}'`,
  );
  connection.closeSync();
  rmSync(folder, { recursive: true });
  const types = ['DECIMAL(38,9)', 'TIMESTAMP WITH TIME ZONE'];
  expect(found.getRows()).toEqual([
    ['é,"x"', '1711846800123', '-12345678901234567890.123456789', '9007199254740991', ...types],
    [null, null, null, null, ...types],
    ['b', '-1', '0.500000000', '0', ...types],
  ]);
});

test('what is no decimal of nine places is refused', () => {
  expect(decimalInteger('-0.000000001')).toBe(-1n);
  expect(() => decimalInteger('1e3')).toThrow(RangeError);
  expect(() => decimalInteger('0.0000000001')).toThrow(RangeError);
});
