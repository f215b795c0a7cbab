import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { commandScript, repositoryRoot } from './repository.ts';

/** Longer than any suite may take; ends what hangs, so that the counts are still printed. */
const runMinutesMax = 120;

/**
 * Runs a command of an installed package at the repository's root, its output passed through. Resolves to whether it exited 0.
 * `through` is a program that runs the command for us.
 */
export async function runCommand(
  packageName: string,
  args: readonly string[],
  { env = {}, through }: { readonly env?: Readonly<Record<string, string>>; readonly through?: string } = {},
): Promise<boolean> {
  const words = [commandScript(packageName), ...args];
  const [program, rest] = through === undefined ? [process.execPath, words] : [through, [process.execPath, ...words]];
  const child = spawn(program, rest, {
    cwd: repositoryRoot,
    // What the command starts in turn finds the pinned Node and the installed tools first.
    env: {
      ...process.env,
      ...env,
      PATH: [join(repositoryRoot, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: runMinutesMax * 60_000,
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      resolve(code === 0);
    });
  });
}
