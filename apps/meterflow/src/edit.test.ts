import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedServer } from './server/start-server.ts';
import { commandIn, newDataDir, startTestServer } from './testing/test-server.ts';

const place = newDataDir();
let server: EmbeddedServer;
beforeAll(async () => {
  server = await startTestServer(place.dataDir);
}, 60_000);
afterAll(async () => {
  await server.stop();
  place.remove();
});

const meterflow = (...words: string[]): Promise<string> => commandIn(place.dataDir, words);

async function imported(name: string, lines: readonly string[]): Promise<void> {
  const file = join(dirname(place.dataDir), name);
  writeFileSync(file, lines.join('\n'));
  await meterflow('import', file);
}

async function readings(meter: string): Promise<unknown> {
  const span = ['--from', '2024-01-01', '--to', '2024-01-02', '--json'];
  const found = JSON.parse(await meterflow('query', 'readings', '--meter', meter, ...span)) as Record<
    string,
    unknown
  >[];
  return found.map(({ value, quality, reason }) => [value, quality, reason]);
}

const edit = (meter: string, value: string): Promise<string> =>
  meterflow(
    ...['edit', '--meter', meter, '--start', '2024-01-01T00:15:00Z', '--value', value],
    ...['--author', 'R. Weber', '--reason', 'read from a photograph', '--json'],
  );
const head = 'meter_id,channel,start,end,value,unit';
const quarters = (meter: string, value: number): string[] => [
  `${meter},import,2024-01-01T00:00:00Z,2024-01-01T00:15:00Z,1,kWh`,
  `${meter},import,2024-01-01T00:15:00Z,2024-01-01T00:30:00Z,${value},kWh`,
];
const first = [1, 'measured', undefined];

test('an edit supersedes a reading, and what the provider brings later supersedes the edit', async () => {
  await imported('first.csv', [head, ...quarters('m1', 99)]);
  expect(JSON.parse(await edit('m1', '1.25'))).toMatchObject({
    ...{ label: 'edit by R. Weber: read from a photograph', state: 'complete', accepted: 1, superseded: 1 },
  });
  expect(await readings('m1')).toEqual([first, [1.25, 'substituted', 'read from a photograph']]);
  const out = join(dirname(place.dataDir), 'all.ndjson');
  await meterflow('export', '--out', out);
  expect(readFileSync(out, 'utf8')).toContain('"quality":"substituted","reason":"read from a photograph"');
  await imported('second.csv', [head, ...quarters('m1', 2)]);
  expect(await readings('m1')).toEqual([first, [2, 'measured', undefined]]);
}, 60_000);

test('of declared versions it is the next, and a later one of the provider supersedes it', async () => {
  const declared = (version: number, value: number): string[] => [
    `${head},version`,
    ...quarters('m2', value).map((line) => `${line},${version}`),
  ];
  await imported('v5.csv', declared(5, 99));
  expect(JSON.parse(await edit('m2', '1.25'))).toMatchObject({ superseded: 1 });
  expect(await readings('m2')).toEqual([first, [1.25, 'substituted', 'read from a photograph']]);
  await imported('v4.csv', declared(4, 3));
  expect(await readings('m2')).toEqual([first, [1.25, 'substituted', 'read from a photograph']]);
  await imported('v7.csv', declared(7, 2));
  expect(await readings('m2')).toEqual([first, [2, 'measured', undefined]]);
}, 60_000);

test('a reading can be taken back, and one that is not there needs its end and unit', async () => {
  await imported('third.csv', [head, ...quarters('m3', 99)]);
  await edit('m3', 'none');
  expect(await readings('m3')).toEqual([first, [null, 'missing', 'read from a photograph']]);
  await expect(edit('m4', '1')).rejects.toMatchObject({ code: 'not-found' });
}, 60_000);
