import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/**
 * DuckDB's own load of the same file and the same job: its native reader, one database file, checkpointed. Runs as a
 * process of its own, `node duckdb-load.ts FILE`, and prints its wall and CPU seconds as JSON.
 */
async function load(file: string): Promise<{ wallSeconds: number; cpuSeconds: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-duckdb-'));
  const startedMs = performance.now();
  try {
    const instance = await DuckDBInstance.create(join(folder, 'meter.duckdb'), { threads: '2' });
    const connection = await instance.connect();
    await connection.run(statements(file));
    connection.closeSync();
    instance.closeSync();
    const { user, system } = process.cpuUsage();
    return { wallSeconds: (performance.now() - startedMs) / 1e3, cpuSeconds: (user + system) / 1e6 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function statements(file: string): string {
  return `
    create table readings as
    select distinct on (meter_id, start) meter_id as meter, epoch(start)::bigint as ts, value * 1000 as wh,
           case when value < 0 then 'estimated' when value > 10 then 'suspect' else 'ok' end as flag
    from read_csv('${file.replaceAll("'", "''")}', header = true, columns = {'meter_id': 'VARCHAR', 'channel': 'VARCHAR',
      'start': 'TIMESTAMP', 'value': 'DOUBLE', 'unit': 'VARCHAR'});
    create table hourly as select meter, ts - ts % 3600 as ts, sum(wh) as wh, count(*) as n from readings group by all;
    create table daily as select meter, ts - ts % 86400 as ts, sum(wh) as wh, sum(n) as n from hourly group by all;
    checkpoint;`;
}

process.stdout.write(`${JSON.stringify(await load(process.argv[2] as string))}\n`);
