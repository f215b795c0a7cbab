import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const repositoryRoot = resolve(import.meta.dirname, '../../../..');
const launcher = resolve(repositoryRoot, 'apps/meterflow/bin/meterflow.mjs');

/** What a command wrote, and how it ended. */
export interface CommandEnd {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts the command as a shell would, in the root folder of the repository. */
export function startCommand(words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [launcher, ...words], { cwd: repositoryRoot, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs the command to its end. */
export async function runCommand(...words: readonly string[]): Promise<CommandEnd> {
  const child = startCommand(words);
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}
