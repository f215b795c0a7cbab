import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { note, print } from '@meterflow/command-line';
import { openEmbeddedPlatform, type EmbeddedPlatform } from '@meterflow/embedded';
import type { Receipt } from '@meterflow/receipts';
import { silentTelemetry } from '@meterflow/stage';
import { profiled, startDevServer, type DevServer } from '../dev-server.ts';
import { machine } from '../machine.ts';
import { activatePeersRule } from '../peers-rule.ts';
import { processTree, usedSince, type ProcessUsage } from '../process-usage.ts';
import { swissReadings } from '../repository.ts';
import { importInto } from '../requests.ts';
import { checkAgainstReference } from './check.ts';
import { countProblems, writeRepeatedInput, type RepeatedInput } from './repeated-input.ts';

export interface SpineOptions {
  readonly copies: number;
  readonly runs: number;
  readonly check: boolean;
  readonly json: boolean;
  readonly file?: string;
  /** A folder for CPU profiles of all processes. */
  readonly profiles?: string;
}

interface Files {
  readonly file: string;
  /** As many readings of other meters, imported first: a server that has just started compiles itself. */
  readonly warmUp: string;
  readonly input: RepeatedInput;
}

interface Run {
  /** The warm-up's rate: the first import after a start. */
  readonly firstImportReadingsPerSecond: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly processes: readonly ProcessUsage[];
  readonly receipt: Receipt;
  readonly problems: readonly string[];
}

interface DuckDbRun {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

/**
 * The spine's benchmark: CSV → the peers' rule in the sandbox (kWh × 1000; flag below 0 and above 10 kWh) → exact dedupe →
 * validated and raw stored durably → hours, days and months → queryable; by the very processes of `meterflow dev`. The
 * time runs from the import's request until the receipt is complete. The server has imported as many readings of other
 * meters before, whose rate is told beside: a process that has just started compiles itself. True when every run is right.
 */
export async function spine(options: SpineOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-bench-'));
  try {
    const file = join(folder, 'readings.csv');
    note('writing the input …');
    const source = options.file ?? swissReadings;
    const input = await writeRepeatedInput(source, file, { copies: options.copies });
    const warmUp = join(folder, 'warm-up.csv');
    await writeRepeatedInput(source, warmUp, { copies: 1, firstCopy: options.copies });
    const runs: Run[] = [];
    const duckdb: DuckDbRun[] = [];
    for (let run = 1; run <= options.runs; run++) {
      note(`run ${run} of ${options.runs} …`);
      const check = options.check && run === 1;
      runs.push(await measured({ file, warmUp, input }, join(folder, `data-${run}`), { ...options, check }));
      duckdb.push(await duckDbLoad(file));
      rmSync(join(folder, `data-${run}`), { recursive: true });
    }
    print(options.json ? JSON.stringify(summary(runs, duckdb, input)) : report(runs, duckdb, input));
    return runs.every(({ problems }) => problems.length === 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measured(
  { file, warmUp, input }: Files,
  dataDir: string,
  { check, profiles }: Pick<SpineOptions, 'check' | 'profiles'>,
): Promise<Run> {
  const platform = openEmbeddedPlatform({ root: dataDir, owner: 'bench', telemetry: silentTelemetry });
  await activatePeersRule(platform.registry);
  const server = await startDevServer(dataDir, profiled(profiles));
  try {
    const first = await importedWhole(server, platform, warmUp);
    const before = processTree(server.pid);
    const startedMs = performance.now();
    const receipt = await importedWhole(server, platform, file);
    const wallSeconds = (performance.now() - startedMs) / 1000;
    const processes = usedSince(before, processTree(server.pid));
    const problems = countProblems(receipt, input);
    const cpuSeconds = processes.reduce((sum, usage) => sum + usage.cpuSeconds, 0);
    return {
      firstImportReadingsPerSecond: first.inserted / first.seconds,
      wallSeconds,
      cpuSeconds,
      processes,
      receipt,
      problems: check
        ? [
            ...problems,
            ...(await checkAgainstReference(file, dataDir, { rule: 'peers', notMeters: `${input.copies}-%` })),
          ]
        : problems,
    };
  } finally {
    await server.stop();
    await platform.close();
  }
}

const pollMs = 10;

async function importedWhole(server: DevServer, platform: EmbeddedPlatform, file: string): Promise<Receipt> {
  const sourceId = await importInto(server, file);
  for (;;) {
    const receipt = await platform.sources.receipt('default', sourceId);
    if (receipt?.state === 'complete') {
      return receipt;
    }
    await new Promise((wake) => setTimeout(wake, pollMs));
  }
}

async function duckDbLoad(file: string): Promise<DuckDbRun> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'duckdb-load.ts'), file]);
  return JSON.parse(stdout) as DuckDbRun;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function summary(runs: readonly Run[], duckdb: readonly DuckDbRun[], { readings, lines }: RepeatedInput): object {
  const of = (each: readonly DuckDbRun[]): object => ({
    readingsPerSecond: Math.round(readings / median(each.map(({ wallSeconds }) => wallSeconds))),
    readingsPerSecondBest: Math.round(readings / Math.min(...each.map(({ wallSeconds }) => wallSeconds))),
    cpuSecondsPerMillion: rounded(median(each.map(({ cpuSeconds }) => cpuSeconds)) / (readings / 1e6)),
  });
  return {
    meterflow: {
      ...of(runs),
      readingsPerSecondFirstImport: Math.round(median(runs.map((run) => run.firstImportReadingsPerSecond))),
      processes: byProcess(runs, readings),
      problems: runs.flatMap(({ problems }) => problems),
    },
    duckdb: of(duckdb),
    input: { readings, lines },
    machine,
    runs: runs.length,
  };
}

/** Where the time goes: CPU seconds per million readings and peak memory, process by process. */
function byProcess(
  runs: readonly Run[],
  readings: number,
): Record<string, { cpuSecondsPerMillion: number; memoryMbPeak: number }> {
  const names = [...new Set(runs.flatMap(({ processes }) => processes.map(({ name }) => name)))];
  return Object.fromEntries(
    names.map((name) => {
      const own = runs.flatMap(({ processes }) => processes.filter((usage) => usage.name === name));
      return [
        name,
        {
          cpuSecondsPerMillion: rounded(median(own.map(({ cpuSeconds }) => cpuSeconds)) / (readings / 1e6)),
          memoryMbPeak: Math.round(Math.max(...own.map(({ memoryBytesPeak }) => memoryBytesPeak)) / 1e6),
        },
      ];
    }),
  );
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

function report(runs: readonly Run[], duckdb: readonly DuckDbRun[], input: RepeatedInput): string {
  const told = summary(runs, duckdb, input) as {
    meterflow: Record<string, number> & { processes: ReturnType<typeof byProcess> };
    duckdb: Record<string, number>;
    machine: Record<string, unknown>;
  };
  const row = (name: string, of: Record<string, number>): string =>
    `${name.padEnd(16)}${String(of['readingsPerSecond']).padStart(14)}${String(of['cpuSecondsPerMillion']).padStart(18)}`;
  const problems = runs.flatMap((run) => run.problems);
  return [
    `${input.readings} readings, ${input.lines - input.readings} of them sent twice; median of ${runs.length} runs`,
    JSON.stringify(told.machine),
    '',
    `${''.padEnd(16)}${'readings/s'.padStart(14)}${'CPU-s per million'.padStart(18)}`,
    row('meterflow', told.meterflow),
    `  first import after a start: ${told.meterflow['readingsPerSecondFirstImport'] ?? 0} readings/s`,
    row('DuckDB load', told.duckdb),
    '',
    `${'process'.padEnd(16)}${'CPU-s per million'.padStart(18)}${'peak MB'.padStart(10)}`,
    ...Object.entries(told.meterflow.processes).map(
      ([name, usage]) =>
        `${name.padEnd(16)}${String(usage.cpuSecondsPerMillion).padStart(18)}${String(usage.memoryMbPeak).padStart(10)}`,
    ),
    '',
    problems.length === 0 ? 'right: every count and sum equals the reference' : `WRONG: ${problems.join('; ')}`,
  ].join('\n');
}
