import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSandbox, flowOfBody, sampleBatch } from '@meterflow/rules/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { IsolatedSandbox, SandboxUnavailableError, serveChildren, type ChildrenServer } from './index.ts';
import { besideOthers, expectStopped } from './testing/beside-others.ts';

const folder = await mkdtemp(join(tmpdir(), 'meterflow-served-'));
const socketPath = join(folder, 'sandbox.sock');
let server: ChildrenServer;
beforeAll(async () => {
  server = await serveChildren({ path: socketPath });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describeSandbox('isolated-vm in children behind a socket', () => new IsolatedSandbox({ socketPath }));

describe('children behind a socket', () => {
  test('that loop, or take all memory, are stopped, and the version is in quarantine', async () => {
    const limits = { batchCpuMsMax: 100, residentBytesMax: 400 * 1024 * 1024 };
    const sandbox = new IsolatedSandbox({ socketPath, limits });
    await expectStopped(sandbox, 'for (;;);');
    await expectStopped(sandbox, 'const all = []; for (;;) all.push(new Array(1000).fill(0))');
    expect(await besideOthers(sandbox, 'throw new Error("no")')).toMatchObject({ any: 64 });
    await sandbox.close();
  });

  test('are there again after their server was away, and no rule is blamed', async () => {
    const path = join(folder, 'restarted.sock');
    const flow = flowOfBody('reading.value += 1');
    let own = await serveChildren({ path });
    const ended: string[] = [];
    const sandbox = new IsolatedSandbox({ socketPath: path });
    await sandbox.run(flow, sampleBatch());
    await own.close();
    expect(existsSync(path)).toBe(false);
    own = await serveChildren({ path, onEnd: (message) => void ended.push(message) });
    await vi.waitFor(
      async () => {
        expect([...(await sandbox.run(flow, sampleBatch())).values]).toEqual([1, 2.5, 0.75, 13]);
      },
      { timeout: 15_000 },
    );
    expect(sandbox.quarantined).toEqual([]);
    await sandbox.close();
    await vi.waitFor(() => {
      expect(ended.at(-1)).toContain('closed');
    });
    await own.close();
  });

  test('that are not there refuse runs, which may come again', async () => {
    const sandbox = new IsolatedSandbox({ socketPath: join(folder, 'nobody.sock'), limits: { startAttemptsMax: 2 } });
    const run = sandbox.run(flowOfBody('reading.value = 1'), sampleBatch());
    await expect(run).rejects.toBeInstanceOf(SandboxUnavailableError);
    await sandbox.close();
  });
});
