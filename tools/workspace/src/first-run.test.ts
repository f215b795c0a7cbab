import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from './repository.ts';

let folder = '';
let start: ChildProcess | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'first-run-'));
});
afterAll(() => {
  if (start?.exitCode === null) {
    signalGroup('SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
});

/** As a terminal does it: to npm and to all that it started. */
function signalGroup(signal: NodeJS.Signals): void {
  process.kill(-(start?.pid as number), signal);
}

/** What npm printed up to the line that says how to end it. */
async function greeting(npm: ChildProcess): Promise<string> {
  let printed = '';
  for await (const piece of npm.stdout!.setEncoding('utf8')) {
    printed += piece as string;
    if (/^API.*^.*Ctrl-C/ms.test(printed)) {
      return printed;
    }
  }
  throw new Error(`npm start ended early, having printed:\n${printed}`);
}

let text = '';

test('npm start imports the sample and shows its readings', { timeout: 60_000 }, async () => {
  const words = ['start', '--', '--port', '0', '--data-dir', join(folder, 'data')];
  // A first run has none of the settings of the npm that runs this test.
  const env = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|VITEST|NX_|METERFLOW_|NODE_OPTIONS$)/i.test(name),
  );
  start = spawn('npm', words, {
    cwd: repositoryRoot,
    env: Object.fromEntries(env),
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  text = await greeting(start);
  expect(text).toMatch(/^5040 readings /m);
  expect(text).toMatch(/^2013-03-25 +█+ +22\.967\b/m);
});

test('it stays up where it says', async () => {
  const url = /^API +(http:\/\/127\.0\.0\.1:\d+)/m.exec(text)?.[1] ?? '';
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});

test('Ctrl-C ends it with 0', { timeout: 40_000 }, async () => {
  const ended = once(start as ChildProcess, 'exit');
  signalGroup('SIGINT');
  expect(await ended).toEqual([0, null]);
});
