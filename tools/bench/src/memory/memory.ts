import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { note, print } from '@meterflow/command-line';
import { openEmbeddedPlatform } from '@meterflow/embedded';
import { Activations, Reprocesses, SeriesRegistry, type Registry } from '@meterflow/registry';
import { flowOf, stockRules } from '@meterflow/rules';
import { silentTelemetry } from '@meterflow/stage';
import { startDevServer, type DevServer } from '../dev-server.ts';
import { machine } from '../machine.ts';
import { processTree } from '../process-usage.ts';
import { completed, importInto, push, send } from '../requests.ts';
import { growthOf, memoryReport, type MemoryMeasured } from './growth.ts';
import { channel, livePush, meterOf, registerQuiet, tenant, writeReadings } from './quiet-series.ts';

export interface MemoryOptions {
  /** How many series there are, ascending. */
  readonly series: readonly number[];
  /** Whether each series says its interval length itself, or the tenant for all. */
  readonly lengths: 'own' | 'default';
  readonly seconds: number;
  readonly json: boolean;
}

const halfHourMs = 1_800_000;
const dayMs = 86_400_000;
const activeSeries = 500;
const pushEveryMs = 500;
const sampleEveryMs = 100;
/** Past the look for days to close that every start begins with. */
const restMs = 3_000;

/**
 * Ever more series in one data directory, each registered and with a reading stored; then, after a start, only a few of them
 * send readings, days are looked for that are to be closed, and windows are asked for. Of each process the most memory of its
 * own in that time. True when none has more the more series there are.
 */
export async function memory(options: MemoryOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-memory-'));
  try {
    const dataDir = join(folder, 'data');
    const measured: MemoryMeasured[] = [];
    let before = 0;
    for (const series of options.series) {
      note(`${series} series: registering …`);
      await registered(dataDir, { from: before, to: series }, options.lengths);
      note(`${series} series: a reading of each …`);
      const loadingBytes = await loaded(dataDir, join(folder, 'readings.csv'), { from: before, to: series });
      note(`${series} series: ${activeSeries} of them at work …`);
      measured.push({ series, ownBytes: await atWork(dataDir, options.seconds), loadingBytes });
      before = series;
    }
    const growth = growthOf(measured);
    const told = { memory: { lengths: options.lengths, measured: measured.map(shown), growth, machine } };
    print(options.json ? JSON.stringify(told) : memoryReport(measured, growth));
    return growth.every(({ isFlat }) => isFlat);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const shown = ({ series, ownBytes, loadingBytes }: MemoryMeasured): object => ({
  series,
  ownBytes: Object.fromEntries(ownBytes),
  loadingBytes: Object.fromEntries(loadingBytes),
});

/** Yesterday at midnight: a day that is to be closed. */
const quietStartMs = Math.floor(Date.now() / dayMs) * dayMs - 3 * dayMs;

async function registered(
  dataDir: string,
  range: { readonly from: number; readonly to: number },
  lengths: MemoryOptions['lengths'],
): Promise<void> {
  const platform = openEmbeddedPlatform({ root: dataDir, owner: 'bench', telemetry: silentTelemetry });
  const { registry } = platform;
  if (range.from === 0) {
    await activateDayRule(registry);
    if (lengths === 'default') {
      await new SeriesRegistry({ registry, nowMs: Date.now, cacheMs: 0 }).setDefault(tenant, {
        intervalMs: halfHourMs,
      });
    }
  }
  await registerQuiet(registry, range, { saysLength: lengths === 'own', sinceMs: quietStartMs });
  await platform.close();
}

/** A rule that looks at whole days, of a channel that no series has: days are looked for, and none has anything to do. */
async function activateDayRule(registry: Registry): Promise<void> {
  const rule = stockRules.get('fill-linear');
  if (rule === undefined) {
    throw new Error('there is no stock rule fill-linear');
  }
  const flow = { ...flowOf('days', []), steps: [{ rule: rule.version, parameters: {}, channels: 'nobody' }] };
  const activations = new Activations({ registry, nowMs: Date.now, activationLeaseMs: 0 });
  const { number } = await activations.create(tenant, { flow, fromMs: 0, toMs: 8.64e15, decimals: 6 });
  await new Reprocesses({ registry, nowMs: Date.now }).raiseMark(tenant, number);
}

/** Brings the new series' readings as one file; the most memory of each process meanwhile. */
async function loaded(
  dataDir: string,
  file: string,
  range: { readonly from: number; readonly to: number },
): Promise<ReadonlyMap<string, number>> {
  await writeReadings(file, range, quietStartMs);
  return watched(dataDir, async (server) => {
    await completed(server, await importInto(server, file));
  });
}

async function atWork(dataDir: string, seconds: number): Promise<ReadonlyMap<string, number>> {
  return watched(dataDir, async (server) => {
    const endMs = performance.now() + seconds * 1000;
    const numbers = Array.from({ length: activeSeries }, (_, index) => index);
    for (let round = 1; performance.now() < endMs; round++) {
      const sourceId = await push(server, livePush(numbers, quietStartMs + round * halfHourMs));
      await completed(server, sourceId);
      await asked(server);
      await sleep(pushEveryMs);
    }
    await sleep(restMs);
  });
}

/** What a customer asks of a series now and then. */
async function asked(server: DevServer): Promise<void> {
  const span = `from=${new Date(quietStartMs).toISOString()}&to=${new Date(quietStartMs + 2 * dayMs).toISOString()}`;
  for (const path of ['aggregates', 'readings', 'missing']) {
    const query = `meter=${meterOf(1)}&channel=${channel}&${span}`;
    await send(server, { service: 'control', method: 'GET', path: `/v1/${path}?${query}`, role: 'customer' });
  }
}

/** The most memory of its own that each process had while something was done. */
async function watched(
  dataDir: string,
  work: (server: DevServer) => Promise<void>,
): Promise<ReadonlyMap<string, number>> {
  const most = new Map<string, number>();
  const server = await startDevServer(dataDir);
  const look = (): void => {
    const now = new Map<string, number>();
    for (const { name, memoryBytesOwn } of processTree(server.pid)) {
      now.set(name, (now.get(name) ?? 0) + memoryBytesOwn);
    }
    now.forEach((bytes, name) => most.set(name, Math.max(bytes, most.get(name) ?? 0)));
  };
  const looking = setInterval(look, sampleEveryMs);
  try {
    await work(server);
  } finally {
    clearInterval(looking);
    await server.stop();
  }
  return most;
}

function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}
