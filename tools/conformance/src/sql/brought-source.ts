import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Pipeline } from '../pipeline.ts';

/** A tenant of the pipeline, and the database that has the rows that it is to get. */
export interface TenantBeside {
  readonly pipeline: Pipeline;
  readonly connection: DuckDBConnection;
  /** For files between the two. */
  readonly folder: string;
  readonly tenant: string;
}

export interface BroughtFile {
  /** Once a tenant. */
  readonly label: string;
  /** Its rows, over `source`, in order. */
  readonly query: string;
}

/** Of the files that `bring` writes. */
const mapping = {
  name: 'coded',
  meter: { column: 'meter' },
  channel: { constant: 'import' },
  time: { column: 'start' },
  interval: { end: { column: 'end' } },
  value: { column: 'value' },
  unit: { constant: 'kWh' },
  quality: {
    column: 'code',
    codes: { M: 'measured', E: 'estimated', S: 'substituted', X: 'substituted', C: 'calculated', N: 'missing' },
  },
  version: { column: 'version', optional: true, kind: 'revision' },
} as const;

/** Substituted, and not to be billed. */
const notBillableCode = 'X';

/** What `computeReference` reads, empty. */
export async function createTables(connection: DuckDBConnection): Promise<void> {
  const codes = Object.entries(mapping.quality.codes).map(([code, quality]) => `('${code}', '${quality}')`);
  await connection.run(`
    set timezone = 'UTC';
    set preserve_insertion_order = true;
    create table source (meter varchar, start_ms bigint, length_ms bigint, value decimal(38, 9), quality varchar,
      code varchar, version bigint, arrival bigint);
    create table series (meter varchar, zone varchar);
    create table lengths (meter varchar, from_ms bigint, to_ms bigint, length_ms bigint);
    create table not_billable as select '${notBillableCode}' as code;
    create table code_quality as from (values ${codes.join(', ')}) as t(code, quality);`);
}

/** Makes the tenant, and registers zones and lengths as the tables have them. */
export async function registerSeries({ pipeline, connection, folder, tenant }: TenantBeside): Promise<void> {
  const toControl = { service: 'control', tenant, role: 'operator' } as const;
  await pipeline.must({
    ...toControl,
    method: 'POST',
    path: '/v1/tenants',
    body: { name: tenant, series: { notBillableCodes: [notBillableCode] } },
  });
  const file = join(folder, `${tenant}-registry.csv`);
  await connection.run(`copy (
    select meter, 'import' as channel, zone as time_zone, (length_ms // 60000) || 'm' as "interval",
           case when from_ms > 0 then strftime(make_timestamp(from_ms * 1000), '%Y-%m-%dT%H:%M:%SZ') end as valid_from
    from series left join lengths using (meter) order by meter, from_ms) to '${file}' (header, delimiter ',')`);
  const path = '/v1/registry/import?allOrNothing=true';
  const body = await readFile(file);
  const told = await pipeline.ask({ ...toControl, method: 'POST', path, body, contentType: 'text/csv' });
  if (!told.text.includes('"rejected":0')) {
    throw new Error(`${path}: ${told.status} ${told.text}`);
  }
  const toIngest = { service: 'ingest', tenant, role: 'provider' } as const;
  await pipeline.must({ ...toIngest, method: 'PUT', path: `/v1/mappings/${mapping.name}`, body: mapping });
}

/** Resolves when all rows of the file are aggregated. */
export async function bring(
  { pipeline, connection, folder, tenant }: TenantBeside,
  { label, query }: BroughtFile,
): Promise<void> {
  const file = join(folder, `${tenant}-${label}.csv`);
  const stamp = (ms: string): string => `strftime(make_timestamp((${ms}) * 1000), '%Y-%m-%dT%H:%M:%SZ')`;
  await connection.run(`copy (
    select meter, ${stamp('start_ms')} as start, ${stamp('start_ms + length_ms')} as "end",
           case when quality <> 'missing' then value end as value, code, nullif(version, 0) as version
    from (${query})) to '${file}' (header, delimiter ',')`);
  const answer = (await pipeline.must({
    service: 'ingest',
    tenant,
    role: 'provider',
    method: 'POST',
    path: `/v1/readings?mapping=${mapping.name}`,
    body: await readFile(file),
    contentType: 'text/csv',
    headers: { 'idempotency-key': label },
  })) as { readonly sourceId: string };
  const { rejected } = await pipeline.completed(tenant, answer.sourceId);
  if (rejected > 0) {
    throw new Error(`${label}: ${rejected} rows were rejected`);
  }
}
