import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busCounts, differences, endStateOf } from './end-state.ts';
import { killAtRandom } from './kill-at-random.ts';
import { MeterflowCommand, type LogLine } from './command.ts';
import type { Piece } from './pieces.ts';
import { seededRandom } from './random.ts';
import { makeReference, type Input, type Reference } from './reference.ts';
import { DevServer, feed, idle } from './run-dev.ts';

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  /** `dev`: a server that senders send to. `import`: the command that brings its own server, killed and run again. */
  readonly mode: 'dev' | 'import';
  /** What to import and to come to, or what to make that of. */
  readonly input: Reference | Input;
  readonly everyMs: number;
  /** Who is killed: services by their names, `sandbox`, `supervisor`, `all`; any of them where not told. */
  readonly victims?: readonly string[];
  readonly keep?: boolean;
  readonly onKill?: (victim: string, done: number) => void;
}

export interface CrashResult {
  readonly folder: string;
  readonly killed: ReadonlyMap<string, number>;
  /** How often the command was started. */
  readonly starts: number;
  /** Messages that dead processes held and that came again. */
  readonly redeliveries: number;
  /** Messages that were published again and not handled again. */
  readonly duplicatesAbsorbed: number;
  readonly lines: number;
  readonly deadLetters: number;
  readonly seconds: number;
  /** What is wrong; empty when the end state is that of the run without kills. */
  readonly faults: readonly string[];
}

/** Kills a pipeline at random while readings come in, lets it finish, and compares with one that nobody killed. */
export async function crashRun(options: CrashOptions): Promise<CrashResult> {
  const folder = await mkdtemp(join(tmpdir(), 'meterflow-crash-'));
  try {
    const { pieces, endState } =
      'endState' in options.input ? options.input : await makeReference(folder, options.input);
    const dataDir = join(folder, 'killed');
    const startMs = performance.now();
    const run = await (options.mode === 'dev' ? killedDev : killedImport)(dataDir, pieces, options);
    const seconds = (performance.now() - startMs) / 1_000;
    const killed = await endStateOf(dataDir, join(folder, 'killed.ndjson'));
    const counts = busCounts(dataDir);
    return {
      folder,
      killed: run.killed,
      starts: run.starts,
      redeliveries: run.log.reduce((sum, { comeAgain }) => sum + (typeof comeAgain === 'number' ? comeAgain : 0), 0),
      duplicatesAbsorbed: counts.reduce((sum, { published, handled }) => sum + published - handled, 0),
      lines: killed.lines,
      deadLetters: killed.deadLetters,
      seconds,
      faults: [
        ...run.faults,
        ...(await differences(killed, endState)),
        ...counts
          .filter(({ unsettled }) => unsettled > 0)
          .map(({ subscription, unsettled }) => `${unsettled} messages wait on ${subscription}`),
      ],
    };
  } finally {
    if (options.keep !== true) {
      await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    }
  }
}

interface KilledRun {
  readonly killed: ReadonlyMap<string, number>;
  readonly starts: number;
  readonly log: readonly LogLine[];
  readonly faults: readonly string[];
}

/** A server under fire, senders that send again, then a drain. */
async function killedDev(dataDir: string, pieces: readonly Piece[], options: CrashOptions): Promise<KilledRun> {
  const random = seededRandom(options.seed);
  const server = new DevServer(dataDir);
  try {
    await server.up();
    const feeding = feed(dataDir, pieces, seededRandom(options.seed + 1));
    const killed = await killAtRandom({ ...options, random, current: () => server.current });
    await feeding.finish();
    await idle(dataDir);
    const code = await server.stop();
    const faults = code === 0 ? [] : [`the drain at the end exited with ${String(code)}`];
    return { killed, starts: server.starts, log: server.log, faults };
  } finally {
    server.killAll();
  }
}

/** An import ends when its own receipts are complete; what else was published twice waits for the next server. */
async function settle(dataDir: string): Promise<void> {
  const server = new DevServer(dataDir);
  try {
    await server.up();
    await idle(dataDir);
    await server.stop();
  } finally {
    server.killAll();
  }
}

/** `meterflow import` of all pieces, again and again while it is killed, then once to its end. */
async function killedImport(dataDir: string, pieces: readonly Piece[], options: CrashOptions): Promise<KilledRun> {
  const random = seededRandom(options.seed);
  const runs: MeterflowCommand[] = [];
  const faults: string[] = [];
  let killing = true;
  const importAll = async (): Promise<boolean> => {
    for (const version of new Set(pieces.map(({ sourceVersion }) => sourceVersion))) {
      const files = pieces.filter(({ sourceVersion }) => sourceVersion === version).map(({ file }) => file);
      const run = new MeterflowCommand({ args: ['import', ...files, '--source-version', String(version)], dataDir });
      runs.push(run);
      const { code, signal } = await run.ended();
      if (code !== 0) {
        if (signal !== 'SIGKILL') {
          faults.push(`import exited with ${String(code ?? signal)}: ${run.errors.slice(-500)}`);
        }
        return false;
      }
    }
    return true;
  };
  const again = async (): Promise<void> => {
    let complete = false;
    while (killing || !complete) {
      const wasKilling = killing;
      complete = (await importAll()) && !wasKilling;
    }
  };
  try {
    const importing = again();
    const killed = await killAtRandom({ ...options, random, current: () => runs.at(-1) as MeterflowCommand });
    killing = false;
    await importing;
    await settle(dataDir);
    return { killed, starts: runs.length, log: runs.flatMap(({ log }) => log), faults };
  } finally {
    runs.forEach((run) => run.killAll());
  }
}
