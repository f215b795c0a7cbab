import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EmbeddedServer } from './server/start-server.ts';
import { commandIn, newDataDir, startTestServer } from './testing/test-server.ts';

const rule = `import { defineRule } from '@meterflow/rule-sdk';
export default defineRule({ name: 'doubled', onReading(reading) { reading.value *= 2; } });
`;
const place = newDataDir();
const folder = dirname(place.dataDir);
let server: EmbeddedServer;
const meterflow = (...words: string[]): Promise<string> => commandIn(place.dataDir, words);
const span = ['--from', '2024-01-01', '--to', '2024-01-03'];

beforeAll(async () => {
  server = await startTestServer(place.dataDir);
  mkdirSync(join(folder, 'rules'));
  writeFileSync(join(folder, 'rules', 'doubled.ts'), rule);
  const lines = [0, 1, 24, 25].map((hour) => `M1,import,${new Date(Date.UTC(2024, 0, 1, hour)).toISOString()},1,kWh`);
  writeFileSync(join(folder, 'readings.csv'), `meter_id,channel,start,value,unit\n${lines.join('\n')}\n`);
  await meterflow('import', join(folder, 'readings.csv'));
  await meterflow('rules', 'upload', join(folder, 'rules'));
}, 60_000);
afterAll(async () => {
  await server.stop();
  place.remove();
});

async function values(): Promise<readonly number[]> {
  const rows = JSON.parse(await meterflow('query', 'readings', '--meter', 'M1', ...span, '--json')) as object[];
  return rows.map((row) => (row as { value: number }).value);
}

test(
  'an activation reaches what is stored, from its instant on; taken back, it was never there',
  { timeout: 60_000 },
  async () => {
    await meterflow('rules', 'activate', 'doubled', '--from', '2024-01-02');
    await vi.waitFor(
      async () => {
        expect(await values()).toEqual([1, 1, 2, 2]);
      },
      { timeout: 25_000, interval: 300 },
    );
    await meterflow('rules', 'rollback');
    const told = JSON.parse(await meterflow('rules', 'reprocess', ...span, '--why', 'at once', '--json')) as object[];
    expect(told).toMatchObject([{ state: 'done', why: 'at once', series: { done: 1, of: 1 } }]);
    expect(await values()).toEqual([1, 1, 1, 1]);
  },
);
