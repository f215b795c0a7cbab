import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { note, print } from '@meterflow/command-line';
import { openPlatform } from '@meterflow/platform';
import type { Receipt } from '@meterflow/receipts';
import { parseServiceConfig, type Platform } from '@meterflow/service';
import { silentTelemetry } from '@meterflow/stage';
import { profiled, startDevServer, type DevServer } from '../dev-server.ts';
import { activatePeersRule } from '../peers-rule.ts';
import { processTree, usedSince, type ProcessUsage } from '../process-usage.ts';
import { swissReadings } from '../repository.ts';
import { completed } from '../requests.ts';
import { writeRepeatedInput, type RepeatedInput } from '../spine/repeated-input.ts';
import { checkStores } from './check.ts';
import { report, summary, type Measured } from './report.ts';
import { fileShape, livePush, onePerMessage, pushShape, type Shape } from './shapes.ts';

export interface ServicesOptions {
  readonly check: boolean;
  readonly json: boolean;
  /** Readings as gzipped CSV, without repeats. */
  readonly file?: string;
  /** A folder for profiles of all processes. */
  readonly profiles?: string;
  /** Names of shapes; all of them when absent. */
  readonly shapes?: readonly string[];
}

/**
 * The four services as separate processes over Google's Pub/Sub and Bigtable emulators and Redis, in three shapes: files,
 * live push, and one message for each reading. The time runs from the first request until the receipt of the last one is complete;
 * each shape is sent once before, under other meter names: a process that has just started compiles itself. True when
 * every receipt is right and, for the file, every reading and sum equals DuckDB's own.
 */
export async function services(options: ServicesOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-bench-'));
  const { profiles, json } = options;
  try {
    note('writing the input …');
    const files = await writeInputs(folder, options.file ?? swissReadings);
    note('starting the services …');
    const server = await startDevServer(join(folder, 'data'), {
      on: 'google-emulators',
      ...profiled(profiles),
    });
    // Not asked for where everything is an emulator; the clients would wait for an answer.
    process.env['METADATA_SERVER_DETECTION'] = 'none';
    const { platform } = await openPlatform(configOf(server), silentTelemetry);
    try {
      await activatePeersRule(platform.registry);
      const measured = await measuredAll({ ...options, server, platform }, files);
      print(json ? JSON.stringify(summary(measured)) : report(measured));
      return measured.every(({ problems }) => problems.length === 0);
    } finally {
      await platform.close();
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Files {
  readonly file: string;
  readonly warmUp: string;
  readonly input: RepeatedInput;
}

async function writeInputs(folder: string, source: string): Promise<Files> {
  const file = join(folder, 'readings.csv');
  const warmUp = join(folder, 'warm-up.csv');
  const input = await writeRepeatedInput(source, file, { copies: 1 });
  await writeRepeatedInput(source, warmUp, { copies: 1, firstCopy: 1 });
  return { file, warmUp, input };
}

/** As one of its services is configured. */
function configOf({ environment, dataDir }: DevServer): ReturnType<typeof parseServiceConfig> {
  const variables = { ...environment, METERFLOW_DATA_DIR: dataDir };
  return parseServiceConfig(variables, {
    service: 'bench',
    run: String(process.pid),
    readText: (path) => readFileSync(path, 'utf8'),
  });
}

interface Running extends ServicesOptions {
  readonly server: DevServer;
  readonly platform: Platform;
}

async function measuredAll(running: Running, { file, warmUp, input }: Files): Promise<readonly Measured[]> {
  const { shapes, check, platform } = running;
  const pairs = [
    { warm: fileShape(warmUp, input.readings), shape: fileShape(file, input.readings), file },
    ...[livePush, onePerMessage].map((each) => ({ warm: pushShape(each), shape: pushShape(each), file: undefined })),
  ];
  const all: Measured[] = [];
  for (const { warm, shape, file: checked } of pairs) {
    if (shapes !== undefined && !shapes.includes(shape.name)) {
      continue;
    }
    note(`${shape.name}: warming up …`);
    await warm.send(running.server);
    note(`${shape.name}: measuring …`);
    const measured = await measure(running.server, shape);
    note(`${shape.name}: ${measured.seconds.toFixed(2)} s`);
    const wrong = check && checked !== undefined ? await checkStores(checked, platform) : [];
    all.push({ ...measured, problems: [...measured.problems, ...wrong] });
  }
  return all;
}

async function measure(server: DevServer, shape: Shape): Promise<Measured> {
  const before: readonly ProcessUsage[] = processTree(server.pid);
  const startedMs = performance.now();
  const sources = await shape.send(server);
  const seconds = (performance.now() - startedMs) / 1_000;
  const processes = usedSince(before, processTree(server.pid));
  const receipts: Receipt[] = [];
  for (const source of sources) {
    receipts.push(await completed(server, source));
  }
  return { shape: shape.name, readings: shape.readings, seconds, processes, problems: problemsOf(receipts, shape) };
}

/** Every reading is stored once, and nothing has become a dead letter. */
function problemsOf(receipts: readonly Receipt[], { readings }: Shape): string[] {
  const sum = (of: (receipt: Receipt) => number): number => receipts.reduce((total, each) => total + of(each), 0);
  const counts = [
    ['inserted', sum((each) => each.inserted), readings],
    ['duplicates', sum((each) => each.duplicates), sum((each) => each.received) - readings],
    ['rejected', sum((each) => each.rejected), 0],
    ['dead', sum((each) => each.batchesDead + each.batchesParked), 0],
  ] as const;
  return counts
    .filter(([, found, expected]) => found !== expected)
    .map(([name, found, expected]) => `${name}: ${found}, not ${expected}`);
}
