import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { gatherMetrics, serveOperations } from './index.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meterflow-operations-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function ask(socketPath: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    })
      .on('error', reject)
      .end();
  });
}

test('a process tells how it is, over a socket of its owner alone', async () => {
  const socket = join(folder, 'run', 'a.ops.sock');
  const state: { stuck?: string } = {};
  const close = await serveOperations(
    { socket },
    { notLive: () => state.stuck, notReady: () => 'starting', metrics: () => '# TYPE a counter\na 1\n' },
  );
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  expect(await ask(socket, '/livez')).toEqual({ status: 200, text: '{"status":"ok"}' });
  state.stuck = 'persistence-raw does not come on';
  expect(await ask(socket, '/livez')).toMatchObject({
    status: 503,
    text: expect.stringContaining(state.stuck) as string,
  });
  expect(await ask(socket, '/readyz')).toMatchObject({ status: 503 });
  expect(await ask(socket, '/metrics')).toEqual({ status: 200, text: '# TYPE a counter\na 1\n' });
  expect(await ask(socket, '/other')).toMatchObject({ status: 404 });
  await close();
  await expect(ask(socket, '/livez')).rejects.toThrow();
});

test('a socket that a killed process left is taken over', async () => {
  const socket = join(folder, 'a.ops.sock');
  writeFileSync(socket, '');
  const probe = { notLive: () => undefined, notReady: () => undefined, metrics: () => '' };
  const close = await serveOperations({ socket }, probe);
  expect(await ask(socket, '/readyz')).toMatchObject({ status: 200 });
  await close();
});

test('the metrics of a machine are those of its services, and which of them answer', async () => {
  const socket = join(folder, 'a.ops.sock');
  const probe = {
    notLive: () => undefined,
    notReady: () => undefined,
    metrics: () => '# TYPE n_total counter\nn_total 1\n',
  };
  const close = await serveOperations({ socket }, probe);
  const text = await gatherMetrics([
    { service: 'a', socket },
    { service: 'b', socket: join(folder, 'b.ops.sock') },
  ]);
  expect(text).toBe(
    '# TYPE n_total counter\nn_total{service="a"} 1\n' +
      '# TYPE service_up_now gauge\nservice_up_now{service="a"} 1\nservice_up_now{service="b"} 0\n',
  );
  await close();
});
