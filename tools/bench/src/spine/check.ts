import { runSql } from '@meterflow/embedded';
import { DuckDBInstance } from '@duckdb/node-api';

/** One statement over what is stored, and the same over the input: they must give the same row. */
interface Comparison {
  readonly name: string;
  readonly stored: string;
  readonly reference: string;
}

/** A row's fingerprint summed over all rows: equal sums mean equal rows, whatever their order. */
const fingerprints = (...columns: readonly string[]): string =>
  `count(*)::varchar as n, sum(hash(${columns.join(', ')})::hugeint)::varchar as h`;

/** Which rule the readings went through: the peers' (kWh × 1000, flags as quality), or none that changes anything. */
export type RuleChecked = 'peers' | 'none';

const transformed = {
  peers: {
    value: '(value * 1000)::decimal(38, 9)',
    quality: `case when value < 0 or value > 10 then 'estimated' else 'measured' end`,
  },
  none: { value: 'value::decimal(38, 9)', quality: `'measured'` },
} as const;

function comparisons(rule: RuleChecked, notMeters: string): readonly Comparison[] {
  const ours = `meter not like '${notMeters}'`;
  const { value, quality } = transformed[rule];
  const aggregate = (resolution: 'hour' | 'day'): Comparison => ({
    name: `sums by ${resolution}`,
    stored: `select ${fingerprints('meter', 'epoch_ms(start)', '"sum"::decimal(38, 9)', 'count::bigint')}
      from aggregates where resolution = '${resolution}' and ${ours}`,
    reference: `select ${fingerprints('meter_id', 'since', 'wh', 'n')} from (
      select meter_id, epoch_ms(date_trunc('${resolution}', start)::timestamp) as since,
             sum(${value})::decimal(38, 9) as wh, count(*)::bigint as n
      from input group by all)`,
  });
  return [
    {
      name: 'validated readings',
      stored: `select ${fingerprints('meter', 'epoch_ms(start)', 'value', 'quality')}, sum(value)::varchar as total from readings where ${ours}`,
      reference: `select ${fingerprints('meter_id', 'epoch_ms(start)', value, quality)}, sum(${value})::varchar as total from input`,
    },
    {
      name: 'raw readings',
      stored: `select ${fingerprints('meter', 'epoch_ms(start)', 'value')}, sum(value)::varchar as total from readings_raw where ${ours}`,
      reference: `select ${fingerprints('meter_id', 'epoch_ms(start)', 'value::decimal(38, 9)')},
        sum(value::decimal(38, 9))::varchar as total from input`,
    },
    aggregate('hour'),
    aggregate('day'),
  ];
}

/**
 * Compares every reading, but those of meters like `notMeters`, and every hourly and daily sum with DuckDB's own over the file.
 * Tells what differs.
 */
export async function checkAgainstReference(
  file: string,
  dataDir: string,
  { rule, notMeters = '' }: { readonly rule: RuleChecked; readonly notMeters?: string },
): Promise<readonly string[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  await connection.run(`create table input as select distinct meter_id, start, value
    from read_csv('${file.replaceAll("'", "''")}', header = true, columns = {'meter_id': 'VARCHAR', 'channel': 'VARCHAR',
      'start': 'TIMESTAMP', 'value': 'DECIMAL(18, 6)', 'unit': 'VARCHAR'})`);
  const told: string[] = [];
  for (const { name, stored, reference } of comparisons(rule, notMeters)) {
    const expected = (await connection.runAndReadAll(reference)).getRows()[0]?.map(String) ?? [];
    const found = await firstRow(dataDir, stored);
    if (found.join(' ') !== expected.join(' ')) {
      told.push(`${name}: ${found.join(' ')}, not ${expected.join(' ')}`);
    }
  }
  connection.closeSync();
  instance.closeSync();
  return told;
}

async function firstRow(directory: string, sql: string): Promise<readonly string[]> {
  for await (const row of await runSql({ directory, sql })) {
    return row.map((cell) => String(JSON.parse(cell)));
  }
  return [];
}
