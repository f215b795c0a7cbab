import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isAlive, processTree, signalProcess, type TreeProcess } from './process-tree.ts';

/** The command as anybody starts it. */
const entry = fileURLToPath(new URL('../../../apps/meterflow/src/main.ts', import.meta.url));
const logCharsMax = 4 * 1024 * 1024;

export interface CommandOptions {
  readonly args: readonly string[];
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface LogLine {
  readonly level: string;
  readonly service: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

const started = new Set<MeterflowCommand>();

/** Ends all that is left of every command that was started. */
export function endAllCommands(): void {
  started.forEach((command) => command.killAll());
}

/** A running `meterflow …` with the processes below it. */
export class MeterflowCommand {
  readonly #child: ChildProcess;
  readonly #known = new Map<string, TreeProcess>();
  readonly #ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  #output = '';
  #log = '';

  constructor({ args, dataDir, env }: CommandOptions) {
    this.#child = spawn(process.execPath, [entry, ...args, '--data-dir', dataDir, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...env },
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-logCharsMax);
    });
    started.add(this);
    // Not `close`: orphans hold the other ends of the pipes a little longer.
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
    }));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get output(): string {
    return this.#output;
  }

  /** Standard error as it came. */
  get errors(): string {
    return this.#log;
  }

  /** What its processes logged. */
  get log(): readonly LogLine[] {
    return this.#log.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as LogLine];
      } catch {
        return [];
      }
    });
  }

  /** Resolves with the first line of its output; undefined when it ended before. */
  async firstLine(): Promise<string | undefined> {
    while (!this.#output.includes('\n')) {
      const ended = await Promise.race([
        this.#ended.then(() => true),
        once(this.#child.stdout as NodeJS.ReadableStream & NodeJS.EventEmitter, 'data').then(() => false),
      ]);
      if (ended && !this.#output.includes('\n')) {
        return undefined;
      }
    }
    return this.#output.slice(0, this.#output.indexOf('\n'));
  }

  /** Its processes as they are now; remembered, so that orphans are known. */
  tree(): readonly TreeProcess[] {
    const found = this.running ? processTree(this.pid) : [];
    found.forEach((each) => this.#known.set(`${each.pid}.${each.startTicks}`, each));
    return found;
  }

  /** Those that were seen in its tree and are still there, the supervisor's death or not. */
  alive(): readonly TreeProcess[] {
    return [...this.#known.values()].filter(isAlive);
  }

  /** SIGKILL to all that belong to it, the supervisor first, so that it starts nothing anew. */
  killAll(): number {
    this.tree();
    return this.alive().filter((each) => signalProcess(each, 'SIGKILL')).length;
  }

  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  ended(): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    return this.#ended;
  }
}
