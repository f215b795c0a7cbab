import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seededRandom } from './random.ts';
import { DevServer, feed, idle } from './run-dev.ts';
import { temporaryRun, type TemporaryRun } from './testing/temporary-run.ts';
import { until } from './until.ts';

let run: TemporaryRun;

beforeEach(() => {
  run = temporaryRun();
});

afterEach(() => {
  run.remove();
});

/** No file of the processes may grow beyond: a write then fails as on a disk without room. */
function limitFiles(pids: readonly number[], bytes: number | 'unlimited'): void {
  for (const pid of pids.filter(mayWriteFiles)) {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
  }
}

/** Not a child of the sandbox, which may write none at all, nor what has just ended after it started one. */
function mayWriteFiles(pid: number): boolean {
  try {
    return /^Max file size +\S+ +unlimited /m.test(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  } catch {
    return false;
  }
}

test(
  'a disk that fills up in the middle of an import is told, waited for, and costs nothing',
  { timeout: 600_000 },
  async () => {
    const { dataDir, pieces } = run;
    const server = new DevServer(dataDir);
    const pids = (): readonly number[] => server.current.tree().map(({ pid }) => pid);
    try {
      await server.up();
      limitFiles(pids(), 300_000);
      const feeding = feed({ dataDir, pieces, random: seededRandom(61) });
      const told = /can't be read or written|disk of .* is full/;
      await until('the full disk is told', () => server.log.some(({ error }) => told.test(String(error))) || undefined);
      limitFiles(pids(), 'unlimited');
      await feeding.finish();
      await idle(dataDir);
      expect(server.starts).toBe(1);
      expect(await server.stop()).toBe(0);
    } finally {
      server.killAll();
    }
    expect(await run.faults()).toEqual([]);
  },
);
