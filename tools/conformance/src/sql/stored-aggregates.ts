import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Pipeline } from '../pipeline.ts';
import type { TenantBeside } from './brought-source.ts';

const rareCounts = ['surplus', 'estimated', 'substituted', 'calculated', 'notBillable'] as const;

/** What the rows of `theirs` and ours are compared by, as far as the canonical export has it. */
const exportedColumns = `meter, resolution, from_ms, to_ms, "sum", "min", "max", "count", quality, peak_ms, expected, surplus,
  estimated, substituted, calculated, not_billable`;
const allColumns = `${exportedColumns}, mean, missing`;

/** Rows that only one of the two has, the first few; empty when the hours, days and months of the export are as they must be. */
export async function exportDifferences(beside: TenantBeside): Promise<readonly string[]> {
  const { pipeline, connection, folder, tenant } = beside;
  const file = join(folder, `${tenant}.ndjson`);
  await writeAggregates(pipeline, file);
  const counts = rareCounts.map((name) => `"${name}": 'bigint'`).join(', ');
  await connection.run(`
    create or replace table ours as
      select meter, resolution, epoch_ms("start"::timestamptz) as from_ms, epoch_ms("end"::timestamptz) as to_ms,
             "sum"::decimal(38, 9) as "sum", "min"::decimal(38, 9) as "min", "max"::decimal(38, 9) as "max", "count", quality,
             epoch_ms("peakAt"::timestamptz) as peak_ms, expected, coalesce(surplus, 0) as surplus,
             coalesce(estimated, 0) as estimated, coalesce(substituted, 0) as substituted,
             coalesce(calculated, 0) as calculated, coalesce("notBillable", 0) as not_billable
      from read_json('${file}', format = 'newline_delimited', columns = {tenant: 'varchar', meter: 'varchar',
        resolution: 'varchar', "start": 'varchar', "end": 'varchar', "sum": 'varchar', "min": 'varchar', "max": 'varchar',
        "count": 'bigint', unit: 'varchar', quality: 'varchar', "peakAt": 'varchar', expected: 'bigint', ${counts}})
      where tenant = '${tenant}' and unit in ('kWh', '')`);
  return differences(connection, exportedColumns, `resolution <> 'year'`);
}

/** The same of the years that a query gives, with mean and missing. */
export async function yearDifferences(
  { pipeline, connection, folder, tenant }: TenantBeside,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<readonly string[]> {
  const meters = (await connection.runAndReadAll('select meter from series')).getRows().map(([meter]) => String(meter));
  const file = join(folder, `${tenant}-years.csv`);
  let header = '';
  for (const meter of meters) {
    const span = `channel=import&resolution=year&from=${from}&to=${to}&format=csv`;
    const path = `/v1/aggregates?meter=${encodeURIComponent(meter)}&${span}`;
    const answer = await pipeline.ask({ service: 'control', method: 'GET', path, tenant, role: 'customer' });
    if (answer.status !== 200) {
      throw new Error(`${path}: ${answer.status} ${answer.text}`);
    }
    const [first = '', ...rows] = answer.text.split('\r\n');
    await appendFile(file, `${header === '' ? `${first}\n` : ''}${rows.filter((row) => row !== '').join('\n')}\n`);
    header = first;
  }
  await connection.run(`
    create or replace table ours as
      select * replace ("sum"::decimal(38, 9) as "sum", "min"::decimal(38, 9) as "min", "max"::decimal(38, 9) as "max",
                        mean::decimal(38, 9) as mean),
             epoch_ms("start"::timestamptz) as from_ms, epoch_ms("end"::timestamptz) as to_ms,
             epoch_ms(peak_at::timestamptz) as peak_ms
      from read_csv('${file}', header = true, all_varchar = true, null_padding = true) where coalesce(unit, '') in ('kWh', '')`);
  const cast = ['count', 'expected', 'missing', ...rareCounts.slice(0, -1), 'not_billable'];
  await connection.run(`create or replace table ours as
    select * replace (${cast.map((name) => `"${name}"::bigint as "${name}"`).join(', ')}) from ours`);
  return differences(connection, allColumns, `resolution = 'year'`);
}

/** A fingerprint of each resolution in the product's own SQL, with mean and missing, that differs from the reference's. */
export async function sqlDifferences({ pipeline, connection, tenant }: TenantBeside): Promise<readonly string[]> {
  const fingerprints = (columns: string, from: string): string =>
    `select resolution, count(*)::varchar as n, sum(hash(${columns})::hugeint)::varchar as h
     from ${from} and resolution <> 'year' group by resolution`;
  const found = await pipeline.must({
    service: 'control',
    method: 'POST',
    path: '/v1/sql',
    tenant,
    role: 'operator',
    body: {
      sql: fingerprints(
        `meter, epoch_ms("start"), epoch_ms("end"), "sum", mean, "count"::bigint, missing::bigint, epoch_ms(peak_at)`,
        `aggregates where tenant = '${tenant}'`,
      ),
    },
  });
  const reader = await connection.runAndReadAll(
    fingerprints(`meter, from_ms, to_ms, "sum", mean, "count", missing, peak_ms`, 'theirs where true'),
  );
  const [ours, theirs] = [found as readonly object[], reader.getRowObjectsJson()].map((rows) =>
    rows.map((row) => JSON.stringify(row)),
  );
  return [
    ...(ours ?? []).filter((row) => !theirs?.includes(row)),
    ...(theirs ?? []).filter((row) => !ours?.includes(row)),
  ];
}

/** The export begins with the aggregates: what comes after them is left. */
async function writeAggregates(pipeline: Pipeline, file: string): Promise<void> {
  const answer = await pipeline.stream({
    service: 'control',
    method: 'GET',
    path: '/v1/export',
    tenant: 'default',
    role: 'operator',
  });
  const target = createWriteStream(file);
  for await (const line of createInterface({ input: answer })) {
    if (!line.startsWith('{"kind":"aggregate"')) {
      break;
    }
    if (!target.write(`${line}\n`)) {
      await once(target, 'drain');
    }
  }
  answer.destroy();
  target.end();
  await once(target, 'finish');
}

async function differences(connection: DuckDBConnection, columns: string, where: string): Promise<readonly string[]> {
  const side = (name: string, a: string, b: string): string => `
    (select '${name}' as side, * from (select ${columns} from ${a} where ${where}
     except all select ${columns} from ${b} where ${where}) order by meter, resolution, from_ms limit 5)`;
  const reader = await connection.runAndReadAll(
    `${side('ours', 'ours', 'theirs')} union all ${side('theirs', 'theirs', 'ours')}`,
  );
  return reader.getRowObjectsJson().map((row) => JSON.stringify(row));
}
