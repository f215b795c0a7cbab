import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertUnit, emptyBatch, flowOf } from '@meterflow/rules';
import { IsolatedSandbox } from '@meterflow/sandbox';
import { expect, test, vi } from 'vitest';

const program = join(import.meta.dirname, 'main.ts');
const flow = flowOf('convert', [{ rule: convertUnit, parameters: { factor: 2, unit: 'Wh' } }]);

test('serves children until it is told to end, and again after it was killed', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meterflow-sandbox-'));
  const socketPath = join(folder, 'sandbox.sock');
  const environment = { PATH: process.env['PATH'], METERFLOW_SANDBOX_SOCKET: socketPath };
  const start = () => spawn(process.execPath, [program], { env: environment, stdio: 'ignore' });
  let server = start();
  await vi.waitUntil(() => existsSync(socketPath), { timeout: 20_000 });
  const sandbox = new IsolatedSandbox({ socketPath });
  await sandbox.run(flow, emptyBatch('a'));
  server.kill('SIGKILL');
  await once(server, 'exit');
  server = start();
  await vi.waitFor(() => sandbox.run(flow, emptyBatch('a')), { timeout: 20_000 });
  await sandbox.close();
  server.kill('SIGTERM');
  expect(await once(server, 'exit')).toEqual([0, null]);
  expect(existsSync(socketPath)).toBe(false);
  await rm(folder, { recursive: true });
});

test('without a socket it says what it lacks', async () => {
  const server = spawn(process.execPath, [program, '--validate'], { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  server.stderr.on('data', (piece: Buffer) => {
    told += piece.toString();
  });
  expect(await once(server, 'close')).toEqual([2, null]);
  expect(told).toContain('METERFLOW_SANDBOX_SOCKET');
});
