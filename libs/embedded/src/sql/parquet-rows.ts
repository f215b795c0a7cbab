import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBAppender } from '@duckdb/node-api';

/** `instant`: milliseconds since 1970; `decimal`: text, exact; `count`: an integer below 2^53. */
export interface ParquetColumn {
  readonly name: string;
  readonly kind: 'text' | 'instant' | 'decimal' | 'count';
}
export type ParquetCell = string | number | null;
export type ParquetRow = readonly ParquetCell[];

/** Decimals are DECIMAL(38, 9) in every format, as in SQL. */
export const parquetDecimals = 9;
const sqlTypes = {
  text: 'varchar',
  instant: 'timestamptz',
  decimal: `decimal(38, ${parquetDecimals})`,
  count: 'bigint',
} as const satisfies Record<ParquetColumn['kind'], string>;

/** What DuckDB may hold in memory; the rest waits on disk. */
const memoryLimit = '256MB';
const rowsPerGroup = 122_880;

/**
 * One Parquet file of all rows, compressed with zstd. Rows are taken set by set and wait in a temporary folder, which
 * goes when the file was read, or is read no further.
 */
export async function* parquetRows(
  columns: readonly ParquetColumn[],
  rows: AsyncIterable<readonly ParquetRow[]>,
): AsyncGenerator<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'meterflow-parquet-'));
  try {
    const file = join(folder, 'rows.parquet');
    await writeParquet(columns, rows, { folder, file });
    yield* createReadStream(file) as AsyncIterable<Uint8Array>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeParquet(
  columns: readonly ParquetColumn[],
  rows: AsyncIterable<readonly ParquetRow[]>,
  { folder, file }: { readonly folder: string; readonly file: string },
): Promise<void> {
  // DuckDB's library is loaded here, so that who asks for no Parquet does not pay for it.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(join(folder, 'rows.duckdb'), {
    memory_limit: memoryLimit,
    threads: '1',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  try {
    const declared = columns.map(({ name, kind }) => `"${name.replaceAll('"', '""')}" ${sqlTypes[kind]}`);
    await connection.run(`create table answer (${declared.join(', ')})`);
    const appender = await connection.createAppender('answer');
    const append = await appending(columns, appender);
    for await (const some of rows) {
      some.forEach(append);
    }
    appender.closeSync();
    const target = `'${file.replaceAll("'", "''")}'`;
    await connection.run(`copy answer to ${target} (format parquet, compression zstd, row_group_size ${rowsPerGroup})`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function appending(
  columns: readonly ParquetColumn[],
  appender: DuckDBAppender,
): Promise<(row: ParquetRow) => void> {
  const { DuckDBDecimalValue, DuckDBTimestampTZValue } = await import('@duckdb/node-api');
  const put = {
    text: (cell: string | number) => {
      appender.appendVarchar(String(cell));
    },
    instant: (cell: string | number) => {
      appender.appendTimestampTZ(new DuckDBTimestampTZValue(BigInt(cell) * 1_000n));
    },
    decimal: (cell: string | number) => {
      const value = new DuckDBDecimalValue(decimalInteger(String(cell)), 38, parquetDecimals);
      appender.appendDecimal(value);
    },
    count: (cell: string | number) => {
      appender.appendBigInt(BigInt(cell));
    },
  } as const;
  return (row) => {
    row.forEach((cell, index) => {
      if (cell === null) {
        appender.appendNull();
      } else {
        put[(columns[index] as ParquetColumn).kind](cell);
      }
    });
    appender.endRow();
  };
}

/** A decimal of at most nine places as the integer of its billionths. Throws RangeError for any other text. */
export function decimalInteger(text: string): bigint {
  const found = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (found === null) {
    throw new RangeError(`"${text.slice(0, 60)}" is no decimal of at most ${parquetDecimals} places`);
  }
  const [, sign, whole = '', places = ''] = found;
  const integer = BigInt(whole + places.padEnd(parquetDecimals, '0'));
  return sign === '-' ? -integer : integer;
}
