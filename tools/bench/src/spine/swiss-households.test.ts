import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { runSql } from '@meterflow/embedded';
import type { Receipt } from '@meterflow/receipts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot, swissReadings } from '../repository.ts';
import { checkAgainstReference } from './check.ts';

const readingsTotal = 2_526_048;
const meterflow = join(repositoryRoot, 'apps/meterflow/bin/meterflow.mjs');

describe.skipIf(!existsSync(swissReadings))('the Swiss households [needs shared]', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-swiss-'));
  const dataDir = join(folder, 'data');
  const csv = join(folder, 'readings.csv');
  let first: Receipt;

  beforeAll(async () => {
    await pipeline(createReadStream(swissReadings), createGunzip(), createWriteStream(csv));
    first = await imported(csv);
  }, 300_000);

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  async function imported(file: string, ...options: string[]): Promise<Receipt> {
    const { stdout } = await promisify(execFile)(process.execPath, [
      meterflow,
      'import',
      file,
      '--data-dir',
      dataDir,
      '--json',
      ...options,
    ]);
    return JSON.parse(stdout) as Receipt;
  }

  async function one(sql: string): Promise<readonly string[]> {
    for await (const row of await runSql({ directory: dataDir, sql })) {
      return row;
    }
    return [];
  }

  test('are all stored, raw and validated, and add up exactly', async () => {
    expect(first).toMatchObject({
      received: readingsTotal,
      accepted: readingsTotal,
      inserted: readingsTotal,
      rejected: 0,
    });
    for (const view of ['readings', 'readings_raw']) {
      expect(await one(`select count(*)::integer, sum(value) from ${view}`)).toEqual([
        String(readingsTotal),
        '1334592.235845',
      ]);
    }
  });

  test('have the hourly and daily sums that DuckDB computes from the CSV', async () => {
    expect(await checkAgainstReference(csv, dataDir, { rule: 'none' })).toEqual([]);
  }, 120_000);

  test('sent again are all duplicates and write no aggregate', async () => {
    expect(await imported(csv)).toMatchObject({
      duplicates: readingsTotal,
      inserted: 0,
      superseded: 0,
      aggregatesWritten: 0,
    });
  }, 300_000);

  test('corrected by a later version are superseded, and only their windows are written', async () => {
    const corrections = await one(
      `select string_agg(line, chr(10)) from (select meter || ',import,' || strftime(start at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ') || ',9.75,kWh' as line
       from readings_raw where meter = '7855756' order by start limit 1000)`,
    );
    const corrected = join(folder, 'corrected.csv');
    await writeFile(corrected, `meter_id,channel,start,value,unit\n${JSON.parse(corrections[0] ?? '""') as string}\n`);
    const receipt = await imported(corrected, '--source-version', '2');
    expect(receipt).toMatchObject({ accepted: 1000, superseded: 1000, duplicates: 0, conflicts: 0 });
    // From 28 October 23:00: 250 hours, on 12 days of UTC, in two months.
    expect(receipt.aggregatesWritten).toBe(250 + 12 + 2);
  }, 300_000);
});
