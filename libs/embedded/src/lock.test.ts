import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FatalError } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DirectoryInUseError, lockDirectory, runningServer } from './lock.ts';

let root: string;
const children: ChildProcess[] = [];
const server = { pid: process.pid, socket: '/run/a.sock' };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'meterflow-lock-'));
});

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  rmSync(root, { recursive: true });
});

async function start(socket: string): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const script = join(import.meta.dirname, 'testing', 'hold-lock.ts');
  const child = spawn(process.execPath, [script, root, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: said.toString().trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

test('nobody runs on a directory that nobody locked, and asking leaves nothing there', () => {
  expect(runningServer(root)).toBeUndefined();
  expect(readdirSync(root)).toEqual([]);
});

test('who locks it runs on it, until it lets go', () => {
  const lock = lockDirectory(root, server);
  expect(runningServer(root)).toEqual(server);
  lock.release();
  expect(runningServer(root)).toBeUndefined();
  lock.release();
  lockDirectory(root, server).release();
});

test('a second server is refused, with the first one’s process and what to do', () => {
  const lock = lockDirectory(root, server);
  const second = (): unknown => lockDirectory(root, { pid: 1, socket: '' });
  expect(second).toThrow(DirectoryInUseError);
  expect(second).toThrow(FatalError);
  expect(second).toThrow(`(process ${process.pid}) is running on ${root}. Stop it first`);
  expect(runningServer(root)).toEqual(server);
  lock.release();
});

test('another process sees it and is refused', async () => {
  const lock = lockDirectory(root, server);
  expect((await start('/run/b.sock')).said).toContain(`process ${process.pid}`);
  lock.release();
});

test('a lock left by SIGKILL is no obstacle, and what the dead one said of itself fools nobody', async () => {
  const { child, said } = await start('/run/b.sock');
  expect(said).toBe('locked');
  expect(runningServer(root)).toEqual({ pid: child.pid, socket: '/run/b.sock' });
  expect(() => lockDirectory(root, server)).toThrow(`process ${child.pid ?? 0}`);
  await kill(child);
  expect(runningServer(root)).toBeUndefined();
  const lock = lockDirectory(root, server);
  expect(runningServer(root)).toEqual(server);
  lock.release();
});

test('of several servers that start at once exactly one runs, and that one is named', async () => {
  const started = await Promise.all(['/run/1', '/run/2', '/run/3'].map(start));
  const running = started.filter(({ said }) => said === 'locked');
  expect(running).toHaveLength(1);
  expect(runningServer(root)?.pid).toBe(running[0]?.child.pid);
});
