import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@meterflow/stage';
import { expect, test } from 'vitest';
import { CommitWait } from './commit-wait.ts';

test('a commit whose write came before the watch is looked for often, and after a while no more', async () => {
  const root = mkdtempSync(join(tmpdir(), 'meterflow-commit-wait-'));
  const file = join(root, 'topic.sqlite');
  writeFileSync(`${file}-wal`, '');
  const slept: number[] = [];
  let nowMs = 0;
  const clock: Clock = {
    nowMs: () => nowMs,
    sleep: (ms) => {
      slept.push(ms);
      nowMs += ms;
      return Promise.resolve();
    },
  };
  const wait = new CommitWait(file, clock);
  const pauses = async (count: number): Promise<void> => {
    for (let pause = 0; pause < count; pause++) {
      await wait.pause({ untilMs: Infinity, dueAtMs: Infinity, signal: new AbortController().signal });
    }
  };
  try {
    await pauses(60);
    const often = slept.findIndex((ms) => ms > 10);
    expect(slept.slice(0, often).reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(200);
    expect(slept.slice(often).every((ms) => ms >= 500)).toBe(true);
    wait.close();
    slept.length = 0;
    await pauses(3);
    expect(Math.max(...slept)).toBeLessThan(10);
  } finally {
    wait.close();
    rmSync(root, { recursive: true });
  }
});
