import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedPlatform, type EmbeddedPlatform } from '@meterflow/embedded';
import { silentTelemetry } from '@meterflow/stage';
import { profiled, startDevServer, type DevServer } from '../dev-server.ts';
import { processTree, usedSince, type ProcessUsage } from '../process-usage.ts';
import { send } from '../requests.ts';
import { lagTrend, type Lag } from './lag-trend.ts';
import { SensorLoad } from './sensor-load.ts';
import type { UseCase } from './use-cases.ts';

/** The published objective: the lag grows by no more records a second than that, whatever the load. */
const lagTrendMax = 2_000;
/** And, of small loads, by no more than this part of them: 2,000 a second would be all of some. */
const lagTrendShareMax = 0.05;
const lookEveryMs = 1_000;
const restLooks = 5;
const restSecondsMax = 120;

export interface ExperimentOptions {
  readonly load: number;
  /** Of the machine, for all stages, stores and the bus; the load comes from outside of them. */
  readonly cores: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Where its processes leave CPU profiles, if anywhere. */
  readonly profiles?: string;
}

export interface Experiment {
  readonly load: number;
  readonly cores: number;
  readonly recordsPerSecond: number;
  readonly lagTrend: number;
  readonly cpuSecondsPerMillion: number;
  /** By process. */
  readonly cpuSecondsPerMillionOf: Readonly<Record<string, number>>;
  /** By topic, the bytes that were published for each record. */
  readonly publishedBytesPerRecord: Readonly<Record<string, number>>;
  /** The objectives hold. */
  readonly keepsUp: boolean;
  readonly problems: readonly string[];
}

/** One load on so many cores, from an empty data directory: does it keep up? */
export async function experiment(useCase: UseCase, options: ExperimentOptions): Promise<Experiment> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-theodolite-'));
  const dataDir = join(folder, 'data');
  const platform = openEmbeddedPlatform({ root: dataDir, owner: 'bench', telemetry: silentTelemetry });
  try {
    await useCase.prepare(platform, options.load);
    const server = await startDevServer(dataDir, { cores: options.cores, ...profiled(options.profiles) });
    try {
      const sensors = new SensorLoad(server, useCase.sensorsOf(options.load));
      return await measured({ ...options, useCase, server, platform, sensors });
    } finally {
      await server.stop();
    }
  } finally {
    await platform.close();
    rmSync(folder, { recursive: true });
  }
}

interface Running extends ExperimentOptions {
  readonly useCase: UseCase;
  readonly server: DevServer;
  readonly platform: EmbeddedPlatform;
  readonly sensors: SensorLoad;
}

async function measured(running: Running): Promise<Experiment> {
  const { useCase, server, platform, sensors, load, cores, warmUpSeconds, seconds } = running;
  const recordsPerSecond = useCase.sensorsOf(load);
  const stop = new AbortController();
  sensors.start();
  const beside = useCase.underLoad({ server, sensors, signal: stop.signal }, load);
  await watched(running, warmUpSeconds);
  const [usedBefore, acceptedBefore] = [processTree(server.pid), sensors.accepted];
  const publishedBefore = platform.bus.publishedBytes();
  const trend = lagTrend(await watched(running, seconds));
  const used = usedSince(usedBefore, processTree(server.pid));
  const cpuSeconds = used.reduce((sum, usage) => sum + usage.cpuSeconds, 0);
  const accepted = sensors.accepted - acceptedBefore;
  const published = [...platform.bus.publishedBytes()].map(
    ([topic, bytes]) => [topic, Math.round((bytes - (publishedBefore.get(topic) ?? 0)) / accepted)] as const,
  );
  stop.abort();
  await sensors.stop();
  await beside;
  const keepsUp = trend <= Math.min(lagTrendMax, lagTrendShareMax * recordsPerSecond);
  return {
    ...{ load, cores, recordsPerSecond, keepsUp },
    lagTrend: Math.round(trend),
    cpuSecondsPerMillion: Math.round((cpuSeconds / (accepted / 1e6)) * 100) / 100,
    cpuSecondsPerMillionOf: cpuByName(used, accepted),
    publishedBytesPerRecord: Object.fromEntries(published.filter(([, bytes]) => bytes > 0)),
    problems: keepsUp ? await problemsOf(running) : [],
  };
}

function cpuByName(used: readonly ProcessUsage[], accepted: number): Record<string, number> {
  const byName = Map.groupBy(used, ({ name }) => name);
  return Object.fromEntries(
    [...byName].map(([name, all]) => {
      const cpuSeconds = all.reduce((sum, usage) => sum + usage.cpuSeconds, 0);
      return [name, Math.round((cpuSeconds / (accepted / 1e6)) * 10) / 10];
    }),
  );
}

/** The lag, looked at so often. */
async function watched(running: Running, seconds: number): Promise<Lag[]> {
  const startedMs = performance.now();
  const seen: Lag[] = [];
  while (performance.now() - startedMs < seconds * 1000) {
    await wait(lookEveryMs);
    seen.push({ seconds: (performance.now() - startedMs) / 1000, records: await lagOf(running) });
  }
  return seen;
}

/** What is due and not accepted, and what waits in the subscriptions of the case, summed as consumer groups' lags are. */
async function lagOf({ useCase, platform, sensors }: Running): Promise<number> {
  const backlogs = await platform.backlogs();
  const messages = backlogs
    .filter(({ subscription }) => useCase.subscriptions.includes(subscription))
    .reduce((sum, each) => sum + each.messages, 0);
  return sensors.due - sensors.accepted + messages * sensors.measurementsPerMessage;
}

/** After the load: all of it must come through, none be dropped, and the results be right. */
async function problemsOf(running: Running): Promise<string[]> {
  const { useCase, platform, server, sensors, load } = running;
  if (!(await comesToRest(platform))) {
    return [`messages still wait ${restSecondsMax} s after the load`];
  }
  const { deadLetters } = JSON.parse(
    await send(server, { service: 'control', method: 'GET', path: '/v1/status', role: 'operator' }),
  ) as { readonly deadLetters: Readonly<Record<string, number>> };
  const dead = (deadLetters['dead'] ?? 0) + (deadLetters['parked'] ?? 0);
  const wrong = await useCase.check({ platform, server, load, rounds: sensors.accepted / useCase.sensorsOf(load) });
  return [...(dead === 0 ? [] : [`${dead} dead letters`]), ...wrong];
}

async function comesToRest(platform: EmbeddedPlatform): Promise<boolean> {
  const startedMs = performance.now();
  for (let rests = 0; rests < restLooks;) {
    if (performance.now() - startedMs > restSecondsMax * 1000) {
      return false;
    }
    await wait(100);
    rests = (await platform.backlogs()).some(({ messages }) => messages > 0) ? 0 : rests + 1;
  }
  return true;
}

function wait(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}
