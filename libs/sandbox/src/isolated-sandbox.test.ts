import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flowOfBody, sampleBatch } from '@meterflow/rules/testing';
import { describe, expect, test } from 'vitest';
import { SandboxUnavailableError } from './index.ts';
import { describeSandbox } from '@meterflow/rules/testing';
import { IsolatedSandbox } from './index.ts';
import { sandboxLimits } from './limits.ts';
import { processUsage } from './process-usage.ts';

describeSandbox('isolated-vm in child processes', () => new IsolatedSandbox());

test('a child that can not start refuses the runs that wait, says why, and blames no rule', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meterflow-broken-'));
  const childEntry = join(folder, 'child.js');
  await writeFile(childEntry, 'throw new Error("broken on purpose")');
  const sandbox = new IsolatedSandbox({ childEntry, limits: { startAttemptsMax: 2 } });
  const run = sandbox.run(flowOfBody('reading.value = 1'), sampleBatch());
  await expect(run).rejects.toBeInstanceOf(SandboxUnavailableError);
  await expect(run).rejects.toThrow(/broken on purpose/);
  expect(sandbox.quarantined).toEqual([]);
  await sandbox.close();
  await rm(folder, { recursive: true });
});

test('a closed sandbox refuses runs, those that wait as well', async () => {
  const sandbox = new IsolatedSandbox();
  const waiting = sandbox.run(flowOfBody('reading.value = 1'), sampleBatch());
  const refused = expect(waiting).rejects.toBeInstanceOf(SandboxUnavailableError);
  await sandbox.close();
  await refused;
  await expect(sandbox.run(flowOfBody('reading.value = 1'), sampleBatch())).rejects.toThrow(/closed/);
});

test('once it is closed none of its children is left, not even one that hangs', async () => {
  const sandbox = new IsolatedSandbox();
  await sandbox.run(flowOfBody('reading.value = 1'), sampleBatch());
  const children = sandbox.childPids;
  expect(children.length).toBeGreaterThan(0);
  children.forEach((pid) => process.kill(pid, 'SIGSTOP'));
  await sandbox.close();
  for (const pid of children) {
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }
});

// Long enough for the next child to start on a machine that does much else.
test('a child that hangs while it starts is replaced', { timeout: 60_000 }, async () => {
  const sandbox = new IsolatedSandbox({ limits: { children: 1, startWallMsMax: 8_000 } });
  const [starting] = sandbox.childPids;
  process.kill(starting!, 'SIGSTOP');
  await sandbox.run(flowOfBody('reading.value = 1'), sampleBatch());
  expect(sandbox.childPids).not.toContain(starting);
  await sandbox.close();
  expect(() => process.kill(starting!, 0)).toThrow('ESRCH');
});

test('isolates come and go within their limit, with the same results', async () => {
  const sandbox = new IsolatedSandbox({ limits: { isolatesMax: 2 } });
  const flow = flowOfBody('reading.value += 1');
  for (let round = 0; round < 2; round++) {
    for (let tenant = 0; tenant < 5; tenant++) {
      const { values } = await sandbox.run(flow, sampleBatch({ tenant: `tenant-${tenant}` }));
      expect([...values]).toEqual([1, 2.5, 0.75, 13]);
    }
  }
  await sandbox.close();
});

test('versions that one tenant brings one after the other keep no more isolates than it may have', async () => {
  const sandbox = new IsolatedSandbox();
  const runVersions = async (from: number, to: number): Promise<number> => {
    for (let version = from; version < to; version++) {
      const flow = flowOfBody(`reading.value += ${version}`);
      const { values } = await sandbox.run(flow, sampleBatch());
      expect(values[0]).toBe(version);
    }
    return processUsage(sandbox.childPids[0] as number)?.residentBytes ?? 0;
  };
  const first = await runVersions(0, 10);
  const later = await runVersions(10, 90);
  // Some 3 MiB each were they kept.
  expect(later - first).toBeLessThan(80 * 2 ** 20);
  expect((await sandbox.run(flowOfBody('reading.value += 3'), sampleBatch())).values[0]).toBe(3);
  await sandbox.close();
});

test(
  'more tenants than memory has room for work in bounded memory, with the same results',
  { timeout: 60_000 },
  async () => {
    const residentBytesMax = 280 * 1024 * 1024;
    const incidents: string[] = [];
    const sandbox = new IsolatedSandbox({
      limits: { residentBytesMax },
      onIncident: ({ message }) => void incidents.push(message),
    });
    const flow = flowOfBody('reading.value += 1');
    for (let round = 0; round < 2; round++) {
      const runs = Array.from({ length: 100 }, (_, tenant) =>
        sandbox.run(flow, sampleBatch({ tenant: `tenant-${tenant}` })),
      );
      for (const { values } of await Promise.all(runs)) {
        expect([...values]).toEqual([1, 2.5, 0.75, 13]);
      }
    }
    expect(incidents).toEqual([]);
    await sandbox.close();
  },
);

describe('tenants that share a sandbox', () => {
  const slow = flowOfBody('for (let left = 1e5; left > 0; left--) reading.value += left % 2 ? 1 : -1');

  test('take turns: a batch of one is not kept waiting by the flood of another', async () => {
    const sandbox = new IsolatedSandbox();
    let finished = 0;
    const flood = Array.from({ length: 50 }, async () => {
      await sandbox.run(slow, sampleBatch({ tenant: 'flood' }));
      finished += 1;
    });
    await flood[0];
    const before = finished;
    await sandbox.run(slow, sampleBatch({ tenant: 'small' }));
    // What the child has been sent ahead goes first, and one more whose turn it was.
    expect(finished - before).toBeLessThanOrEqual(sandboxLimits.batchesAheadMax + 1);
    await Promise.all(flood);
    await sandbox.close();
  });

  test('do not fill the line of those that wait: another tenant still finds room', async () => {
    const sandbox = new IsolatedSandbox({ limits: { waitingMax: 10, waitingPerTenantMax: 5 } });
    const runs = Array.from({ length: 20 }, () => sandbox.run(slow, sampleBatch({ tenant: 'flood' })));
    const small = sandbox.run(slow, sampleBatch({ tenant: 'small' }));
    const outcomes = await Promise.allSettled(runs);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBe(15);
    expect(refused.every((outcome) => 'reason' in outcome && outcome.reason instanceof SandboxUnavailableError)).toBe(
      true,
    );
    await expect(small).resolves.toBeDefined();
    await sandbox.close();
  });
});
