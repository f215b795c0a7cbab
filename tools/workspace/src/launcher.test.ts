import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot } from './repository.ts';

// The launcher must work on a Node older than the pinned one. Debian's own stands in for it where there is one.
const otherNode = ['/usr/bin/node', '/usr/local/bin/node'].find((file) => existsSync(file)) ?? process.execPath;

/** An app that says which Node runs it, and ends on SIGTERM with 7 or by itself with the code it is given. */
const main = `
  const how: string | undefined = process.argv[2];
  if (how === 'wait') {
    setInterval(() => {}, 1000);
    process.on('SIGTERM', () => process.exit(7));
  } else {
    process.exitCode = Number(how);
  }
  process.stdout.write(JSON.stringify([process.versions.node.split('.')[0], ...process.argv.slice(2)]) + '\\n');
`;

let folder = '';
let launcher = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'launcher-'));
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'src/main.ts'), main);
  symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'));
  launcher = join(folder, 'bin/meterflow.mjs');
  copyFileSync(join(repositoryRoot, 'apps/meterflow/bin/meterflow.mjs'), launcher);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function start(node: string, ...args: readonly string[]): ChildProcess {
  return spawn(node, [launcher, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function firstLine(child: ChildProcess): Promise<unknown> {
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer];
  return JSON.parse(chunk.toString());
}

test('without its launcher the process ends by itself', async () => {
  const child = spawn('sh', ['-c', `"${process.execPath}" "${launcher}" wait; true`], {
    env: { ...process.env, npm_command: 'run' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await firstLine(child);
  // The pipe closes only once every process that holds it has ended.
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  expect(await closed).toEqual([null, 'SIGKILL']);
});

describe.each([
  ['the pinned Node', process.execPath],
  ["the machine's Node", otherNode],
])('the launcher under %s', (_, node) => {
  test('runs the sources on the pinned Node and passes arguments and the exit code on', async () => {
    const child = start(node, '3', 'two words');
    const exited = once(child, 'exit');
    expect(await firstLine(child)).toEqual(['24', '3', 'two words']);
    expect(await exited).toEqual([3, null]);
  });

  test('passes SIGTERM on and lets the process drain', async () => {
    const child = start(node, 'wait');
    const exited = once(child, 'exit');
    await firstLine(child);
    child.kill('SIGTERM');
    expect(await exited).toEqual([7, null]);
  });

  test('ends by the signal that ended the process', async () => {
    const child = start(node, 'wait');
    const exited = once(child, 'exit');
    await firstLine(child);
    child.kill('SIGHUP');
    expect(await exited).toEqual([null, 'SIGHUP']);
  });
});
