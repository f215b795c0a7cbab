import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busCounts, differences, endStateOf, type EndState } from './end-state.ts';
import { killedOnGoogle } from './google/google-run.ts';
import { killAtRandom } from './kill-at-random.ts';
import { MeterflowCommand, type LogLine } from './command.ts';
import type { Piece } from './pieces.ts';
import { seededRandom } from './random.ts';
import { makeReference, type Input, type Reference } from './reference.ts';
import { DevServer, feed, idle } from './run-dev.ts';

/**
 * `dev`: a server that senders send to. `import`: the command that brings its own server, killed and run again. `google`:
 * the server over Google's emulators and Redis, which are disturbed as well.
 */
export type CrashMode = (typeof crashModes)[number];
export const crashModes = ['dev', 'import', 'google'] as const;

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  readonly mode: CrashMode;
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
  /** What befell the parts that it stands on. */
  readonly disturbed: ReadonlyMap<string, number>;
  /** How often the command was started. */
  readonly starts: number;
  /** Messages that dead processes held and that came again; where the bus tells. */
  readonly redeliveries?: number;
  /** Messages that were published again and not handled again; where the bus tells. */
  readonly duplicatesAbsorbed?: number;
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
    const run = await runs[options.mode]({ folder, dataDir }, pieces, options);
    const { endState: killed, ...told } = run;
    return {
      ...told,
      folder,
      lines: killed.lines,
      deadLetters: killed.deadLetters,
      seconds: (performance.now() - startMs) / 1_000,
      faults: [...run.faults, ...(await differences(killed, endState, { exactOutcomes: options.mode !== 'google' }))],
    };
  } finally {
    if (options.keep !== true) {
      await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    }
  }
}

/** Where a run has its files. */
export interface RunPlace {
  readonly folder: string;
  readonly dataDir: string;
}

/** A run that was killed again and again, and then came to rest. */
export type KilledRun = Omit<CrashResult, 'folder' | 'lines' | 'deadLetters' | 'seconds'> & {
  readonly endState: EndState;
};

const runs: Readonly<
  Record<CrashMode, (place: RunPlace, pieces: readonly Piece[], options: CrashOptions) => Promise<KilledRun>>
> = { dev: killedDev, import: killedImport, google: killedOnGoogle };

/** What a directory at rest has come to. */
async function atRest(
  { folder, dataDir }: RunPlace,
  run: Omit<KilledRun, 'endState'> & { readonly log: readonly LogLine[] },
): Promise<KilledRun> {
  const { log, ...told } = run;
  const counts = busCounts(dataDir);
  const waiting = counts
    .filter(({ unsettled }) => unsettled > 0)
    .map(({ subscription, unsettled }) => `${unsettled} messages wait on ${subscription}`);
  return {
    ...told,
    redeliveries: log.reduce((sum, { comeAgain }) => sum + (typeof comeAgain === 'number' ? comeAgain : 0), 0),
    duplicatesAbsorbed: counts.reduce((sum, { published, handled }) => sum + published - handled, 0),
    endState: await endStateOf(dataDir, join(folder, 'killed.ndjson')),
    faults: [...run.faults, ...waiting],
  };
}

/** A server under fire, senders that send again, then a drain. */
async function killedDev(place: RunPlace, pieces: readonly Piece[], options: CrashOptions): Promise<KilledRun> {
  const { dataDir } = place;
  const random = seededRandom(options.seed);
  const server = new DevServer(dataDir);
  try {
    await server.up();
    const feeding = feed({ dataDir, pieces, random: seededRandom(options.seed + 1) });
    const befallen = await killAtRandom({ ...options, random, current: () => server.current });
    await feeding.finish();
    await idle(dataDir);
    const code = await server.stop();
    const faults = code === 0 ? [] : [`the drain at the end exited with ${String(code)}`];
    return await atRest(place, { ...befallen, starts: server.starts, log: server.log, faults });
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
async function killedImport(place: RunPlace, pieces: readonly Piece[], options: CrashOptions): Promise<KilledRun> {
  const { dataDir } = place;
  const random = seededRandom(options.seed);
  const imports: MeterflowCommand[] = [];
  const faults: string[] = [];
  let killing = true;
  const importAll = async (): Promise<boolean> => {
    for (const version of new Set(pieces.map(({ sourceVersion }) => sourceVersion))) {
      const files = pieces.filter(({ sourceVersion }) => sourceVersion === version).map(({ file }) => file);
      const run = new MeterflowCommand({ args: ['import', ...files, '--source-version', String(version)], dataDir });
      imports.push(run);
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
    const befallen = await killAtRandom({ ...options, random, current: () => imports.at(-1) as MeterflowCommand });
    killing = false;
    await importing;
    await settle(dataDir);
    const log = imports.flatMap((run) => run.log);
    return await atRest(place, { ...befallen, starts: imports.length, log, faults });
  } finally {
    imports.forEach((run) => run.killAll());
  }
}
