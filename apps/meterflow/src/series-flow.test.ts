import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EmbeddedServer } from './server/start-server.ts';
import { commandIn, newDataDir, startTestServer } from './testing/test-server.ts';

// Real processes of every stage: a stock rule is activated by its name, and fills what a file left out.

const place = newDataDir();
const file = join(dirname(place.dataDir), 'readings.csv');
let server: EmbeddedServer;
const meterflow = (...words: string[]): Promise<string> => commandIn(place.dataDir, words);
const day = ['--meter', 'M1', '--from', '2024-01-02', '--to', '2024-01-03'];

beforeAll(async () => {
  server = await startTestServer(place.dataDir);
  // Two days of hours that count up from 0; of the second, 03:00 and 04:00 never came.
  const hours = Array.from({ length: 48 }, (_, hour) => hour).filter((hour) => hour !== 27 && hour !== 28);
  const lines = hours.map((hour) => `M1,import,${new Date(Date.UTC(2024, 0, 1, hour)).toISOString()},${hour},kWh`);
  writeFileSync(file, ['meter_id,channel,start,value,unit', ...lines].join('\n'));
}, 60_000);
afterAll(async () => {
  await server.stop();
  place.remove();
});

interface Shown {
  readonly start: string;
  readonly value: number | null;
  readonly quality: string;
}

const query = async (what: string, ...words: string[]): Promise<readonly object[]> =>
  JSON.parse(await meterflow('query', what, ...day, ...words, '--json')) as object[];
const gap = async (): Promise<readonly object[]> =>
  (await query('readings')).filter((each) => (each as Shown).quality !== 'measured');
const ofDay = (): Promise<readonly object[]> => query('aggregates', '--resolution', 'day');
const waiting = { timeout: 25_000, interval: 300 };
const measured = 48 * 23.5 - 24 * 11.5 - 27 - 28;

test('a stock rule fills the gap of a closed day; taken back, nothing of it counts', { timeout: 60_000 }, async () => {
  await meterflow('import', file);
  expect(await gap()).toEqual([]);

  await meterflow('rules', 'activate', 'fill-linear', '--from', '2024-01-01', '--channel', 'import*');
  await vi.waitFor(async () => {
    expect(await gap()).toMatchObject([
      { start: '2024-01-02T03:00:00Z', value: 27, quality: 'estimated' },
      { start: '2024-01-02T04:00:00Z', value: 28, quality: 'estimated' },
    ]);
    expect(await ofDay()).toMatchObject([{ sum: measured + 55, count: 24, quality: 'estimated' }]);
  }, waiting);

  await meterflow('rules', 'rollback');
  await vi.waitFor(async () => {
    expect(await gap()).toMatchObject([
      { start: '2024-01-02T03:00:00Z', value: null, quality: 'missing', reason: 'no-longer-emitted' },
      { start: '2024-01-02T04:00:00Z', value: null, quality: 'missing', reason: 'no-longer-emitted' },
    ]);
    expect(await ofDay()).toMatchObject([{ sum: measured, count: 22, missing: 2, quality: 'estimated' }]);
  }, waiting);
});
