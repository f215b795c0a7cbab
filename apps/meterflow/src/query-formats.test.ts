import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedServer } from './server/start-server.ts';
import { commandIn, newDataDir, startTestServer } from './testing/test-server.ts';

const place = newDataDir();
const file = (name: string): string => join(dirname(place.dataDir), name);
let server: EmbeddedServer;
beforeAll(async () => {
  server = await startTestServer(place.dataDir);
  const lines = ['00:00', '00:15', '00:30'].map((at, index) => `m1,import,2024-01-01T${at}:00Z,${index + 1}.5,kWh`);
  writeFileSync(file('readings.csv'), ['meter_id,channel,start,value,unit', ...lines].join('\n'));
  await meterflow('import', file('readings.csv'));
}, 60_000);
afterAll(async () => {
  await server.stop();
  place.remove();
});

const meterflow = (...words: string[]): Promise<string> => commandIn(place.dataDir, words);
const span = ['--meter', 'm1', '--from', '2024-01-01', '--to', '2024-01-02'];

test('the ending of a file tells its format, and the file is there only when it is whole', async () => {
  await meterflow('query', 'aggregates', ...span, '--zone', 'Europe/Zurich', '--out', file('days.csv'));
  const [head, day] = readFileSync(file('days.csv'), 'utf8').split('\r\n');
  expect(head).toMatch(/^meter,channel,resolution,start,end,sum,/);
  expect(day).toMatch(/^m1,import,day,2024-01-01T01:00:00\+01:00,2024-01-02T01:00:00\+01:00,7.5,/);
  const told = await meterflow('query', 'readings', ...span, '--out', file('r.parquet'), '--json');
  expect(JSON.parse(told)).toEqual({ file: file('r.parquet') });
  expect(readFileSync(file('r.parquet')).toString('latin1', 0, 4)).toBe('PAR1');
  await meterflow('query', 'readings', ...span, '--out', file('r.json'));
  expect(JSON.parse(readFileSync(file('r.json'), 'utf8'))).toMatchObject([
    { value: 1.5 },
    { value: 2.5 },
    { value: 3.5 },
  ]);
  await expect(
    meterflow('query', 'readings', ...span, '--quality', 'good', '--out', file('bad.csv')),
  ).rejects.toThrow();
  expect(existsSync(file('bad.csv')) || existsSync(file('bad.csv.part'))).toBe(false);
}, 60_000);

test('before the import nothing was known', async () => {
  const known = await meterflow('query', 'readings', ...span, '--as-of', '2024-06-01', '--json');
  expect(JSON.parse(known)).toEqual([]);
}, 60_000);
