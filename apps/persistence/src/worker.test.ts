import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeReadingBatch, topology } from '@meterflow/contracts';
import { dataDirectory, openBus, openEmbeddedPlatform } from '@meterflow/embedded';
import { batchOf, epochMs, hourMs } from '@meterflow/readings/testing';
import { silentTelemetry, systemClock } from '@meterflow/stage';
import { afterAll, expect, test } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'worker-'));
const main = fileURLToPath(new URL('main.ts', import.meta.url));

afterAll(() => {
  rmSync(root, { recursive: true });
});

async function run(...words: string[]): Promise<{ code: number; log: string }> {
  const child = spawn(process.execPath, [main, ...words], {
    env: { PATH: process.env['PATH'], METERFLOW_DATA_DIR: root, METERFLOW_LANES: 'bulk' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.on('data', (bytes: Buffer) => (log += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, log };
}

test('a worker takes what waits, and ends itself with 0 when nothing came for as long as it was told', async () => {
  const topics = topology(['bulk'], { warehouse: false });
  const declared = {
    topics: topics.map(({ topic }) => topic),
    subscriptions: topics.flatMap(({ topic, subscriptions }) =>
      subscriptions.map((name) => ({ name, topic, from: 'start' as const })),
    ),
  };
  await openBus({ directory: dataDirectory(root), clock: systemClock, owner: 'declares', topology: declared }).close();
  const platform = openEmbeddedPlatform({ root, owner: 'test', telemetry: silentTelemetry });
  const reading = { meter: 'm1', channel: 'import', lengthMs: hourMs, integer: 1, decimals: 0, quality: 0 as const };
  const batch = (hour: number): Uint8Array =>
    encodeReadingBatch(
      batchOf([{ ...reading, startMs: epochMs + hour * hourMs, unit: 'kWh', reason: '', declared: 0 }]),
    );
  try {
    await platform.publisher.publish(
      [0, 1, 2].map((hour) => ({ topic: 'readings.accepted.bulk', payload: batch(hour), attributes: {} })),
    );
    const { code, log } = await run('--exit-when-idle', '2s');
    expect([code, log]).toEqual([0, expect.stringContaining('nothing to do for 2000 ms')]);
    const left = platform.bus.backlog().find(({ subscription }) => subscription === 'persistence-raw.bulk');
    expect(left?.messages ?? 0).toBe(0);
  } finally {
    await platform.close();
  }
}, 60_000);

test.each([
  [['--exit-when-idle', 'soon'], 'METERFLOW_EXIT_WHEN_IDLE'],
  [['--quickly'], '--validate and --exit-when-idle'],
])(
  '%j is refused with 2',
  async (words, message) => {
    expect(await run('--validate', ...words)).toEqual({ code: 2, log: expect.stringContaining(message) as string });
  },
  60_000,
);
