import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentTelemetry, systemClock, type Clock } from '@meterflow/stage';
import { connect, type WarehouseLocation } from '../api.ts';
import { openWarehouse } from '../open-warehouse.ts';
import { warehouseTables } from '../schema.ts';
import type { SqlSinkUnderTest } from './describe-sql-sink.ts';
import { linesOf } from './lines-of.ts';
import { freePort, stopProcess } from './server-process.ts';

/** Where local-bigquery is on this machine: a folder to be its root, or a command on the path. */
interface Found {
  readonly root?: string;
}

const readyMs = 30_000;

/** Undefined where this machine has none. METERFLOW_LOCAL_BIGQUERY names a folder that holds a system with it. */
export function findLocalBigquery(env: NodeJS.ProcessEnv = process.env): Found | undefined {
  const root = env['METERFLOW_LOCAL_BIGQUERY'];
  if (root !== undefined && existsSync(join(root, 'opt/v/bin/local-bigquery'))) {
    return { root };
  }
  const folders = (env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => folder !== '' && existsSync(join(folder, 'local-bigquery'))) ? {} : undefined;
}

/** A server of its own, with nothing in it. */
export async function startLocalBigquery({
  root,
}: Found): Promise<{ readonly location: WarehouseLocation; readonly stop: () => Promise<void> }> {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const state = mkdtempSync(join(root === undefined ? tmpdir() : join(root, 'tmp'), 'meterflow-'));
  const options = {
    host: '127.0.0.1',
    port,
    'grpc-port': grpcPort,
    project: 'a-project',
    dataset: 'other',
    'data-dir': root === undefined ? state : state.slice(root.length),
  };
  const args = ['serve', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])];
  const env = { ...process.env, HOME: root === undefined ? process.env['HOME'] : '/root' };
  const server =
    root === undefined
      ? spawn('local-bigquery', args, { stdio: 'ignore', env })
      : spawn('chroot', [root, '/opt/v/bin/local-bigquery', ...args], { stdio: 'ignore', env });
  const stop = async (): Promise<void> => {
    await stopProcess(server);
    rmSync(state, { recursive: true, force: true });
  };
  const apiEndpoint = `http://127.0.0.1:${port}`;
  try {
    await answers(`${apiEndpoint}/bigquery/v2/projects/a-project/datasets`);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    location: { projectId: 'a-project', dataset: 'metering', location: 'EU', apiEndpoint, anonymous: true },
    stop,
  };
}

async function answers(url: string): Promise<void> {
  for (const untilMs = Date.now() + readyMs; ;) {
    try {
      await fetch(url);
      return;
    } catch (error) {
      if (Date.now() > untilMs) {
        throw error;
      }
    }
    await sleep(100);
  }
}

/** The whole sink on it; every view is asked through Google's client. */
export async function sinkOnLocalBigquery(found: Found): Promise<SqlSinkUnderTest> {
  const { location, stop } = await startLocalBigquery(found);
  let aheadMs = 0;
  const clock: Clock = { nowMs: () => Date.now() + aheadMs, sleep: (ms, signal) => systemClock.sleep(ms, signal) };
  const limits = { loadIntervalMs: 0, pauseMs: 20 };
  const warehouse = openWarehouse({ location, clock, telemetry: silentTelemetry, limits });
  const client = connect(location);
  const lines = async (query: string): Promise<string[]> => {
    const [rows] = (await client.query({ query, useLegacySql: false })) as unknown as [{ line: string }[]];
    return linesOf(rows.map(({ line }) => line.split(' ')));
  };
  const named = (name: string): string => `\`a-project.metering.${name}\``;
  await warehouse.provision();
  return {
    readings: (layer) => warehouse.readings(layer),
    aggregates: warehouse.aggregates,
    erase: (erasure) => warehouse.erase(erasure),
    clear: async () => {
      for (const { name } of warehouseTables) {
        await client.query({ query: `DELETE FROM ${named(name)} WHERE TRUE`, useLegacySql: false });
      }
    },
    setNow: (nowMs) => {
      aheadMs = nowMs - Date.now();
    },
    readingLines: (layer, ask) => {
      const name = layer === 'raw' ? 'readings_raw' : 'readings';
      const view =
        'asOfMs' in ask
          ? `${named(`${name}_as_of`)}(TIMESTAMP_MILLIS(${ask.asOfMs}))`
          : named(ask.form === 'plain' ? `${name}_plain` : name);
      return lines(`SELECT CONCAT(meter, ' ', CAST(UNIX_MILLIS(start) AS STRING), ' ',
        CAST(UNIX_MILLIS(\`end\`) - UNIX_MILLIS(start) AS STRING), ' ', CAST(value AS STRING), ' ', unit, ' ', quality,
        ' ', IFNULL(CAST(version AS STRING), 'none'), ' ', reason) AS line FROM ${view}`);
    },
    aggregateLines: (form) =>
      lines(`SELECT CONCAT(meter, ' ', resolution, ' ', CAST(UNIX_MILLIS(start) AS STRING), ' ', IFNULL(CAST(sum AS STRING), 'none'), ' ',
        CAST(\`count\` AS STRING), ' ', unit) AS line FROM ${named(form === 'plain' ? 'aggregates_plain' : 'aggregates')}`),
    close: stop,
  };
}
