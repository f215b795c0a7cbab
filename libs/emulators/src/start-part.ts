import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { localhost, type RunningPart, type StartOptions } from './running-part.ts';
import { endWithParent, type Watch } from './watch.ts';

export interface PartRun {
  readonly command: string;
  /** `folder` is its working directory, removed after it. */
  args(port: number, folder: string): readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints when it is ready. Read from its own output: another server may hold the port. */
  readonly ready: RegExp;
}

const startAttemptsMax = 3;
const startMsMax = 30_000;
const stopMsMax = 10_000;
const readyPollMs = 10;

/** Starts a server and resolves when it is ready. Tries again on another port when it ends before that. */
export async function startPart(run: PartRun, options: StartOptions = {}): Promise<RunningPart> {
  for (let attempt = 1; ; attempt += 1) {
    const part = new PartProcess(run, options.port ?? (await freePort()));
    try {
      await part.ready(run.ready);
      return part;
    } catch (error) {
      await part.kill();
      if (attempt === startAttemptsMax) {
        throw error;
      }
    }
  }
}

class PartProcess implements RunningPart {
  readonly host = localhost;
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #watch: Watch;
  readonly #logFile: string;
  readonly #ended: Promise<void>;
  #log = '';

  constructor(run: PartRun, port: number) {
    this.port = port;
    const folder = mkdtempSync(join(tmpdir(), 'meterflow-part-'));
    this.#logFile = join(folder, 'log');
    const log = openSync(this.#logFile, 'w');
    this.#watch = endWithParent(folder);
    // In a group of its own: a Ctrl-C is for the parent, which stops its parts in its own order.
    this.#process = spawn(run.command, run.args(port, folder), {
      cwd: folder,
      env: { ...process.env, ...run.env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    this.#watch.of(this.#process.pid);
    closeSync(log);
    this.#process.unref();
    this.#ended = this.#afterItsEnd();
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  async ready(pattern: RegExp): Promise<void> {
    const untilMs = Date.now() + startMsMax;
    while (!pattern.test(this.#readLog())) {
      if (this.#hasEnded() || Date.now() > untilMs) {
        throw new Error(`${this.#process.spawnfile} did not start. It printed:\n${this.#readLog()}`);
      }
      await sleep(readyPollMs);
    }
  }

  async stop(): Promise<void> {
    const late = setTimeout(() => this.#process.kill('SIGKILL'), stopMsMax);
    this.#process.kill('SIGTERM');
    await this.#ended;
    clearTimeout(late);
  }

  async kill(): Promise<void> {
    // Who waits for its end is not to end before.
    this.#process.ref();
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  async #afterItsEnd(): Promise<void> {
    await once(this.#process, 'exit').catch(() => undefined);
    this.#readLog();
    await this.#watch.end();
  }

  #hasEnded(): boolean {
    return this.#process.pid === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** What it printed; after its end, what was read last. */
  #readLog(): string {
    try {
      this.#log = readFileSync(this.#logFile, 'utf8');
    } catch {
      // The folder is gone with the part.
    }
    return this.#log;
  }
}
