import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedServer } from './server/start-server.ts';
import { commandIn, newDataDir, startTestServer } from './testing/test-server.ts';

const place = newDataDir();
let file = '';
let server: EmbeddedServer;

beforeAll(async () => {
  // 1 kWh an hour, from midnight to midnight in Zurich (UTC+1).
  const hours = Array.from({ length: 48 }, (_, hour) => new Date(Date.UTC(2024, 0, 9, 23 + hour)).toISOString());
  file = join(dirname(place.dataDir), 'hours.csv');
  server = await startTestServer(place.dataDir);
  writeFileSync(file, ['meter_id,channel,start,value,unit', ...hours.map((at) => `m1,import,${at},1,kWh`)].join('\n'));
}, 60_000);
afterAll(async () => {
  await server.stop();
  place.remove();
});

const meterflow = (...words: string[]): Promise<string> => commandIn(place.dataDir, words);
const json = async (...words: string[]): Promise<unknown> => JSON.parse(await meterflow(...words, '--json'));
const sums = async (resolution: string, tenant = 'acme', channel = 'import'): Promise<unknown> => {
  const span = [
    '--channel',
    channel,
    '--from',
    '2023-12-01',
    '--to',
    '2024-02-01',
    '--resolution',
    resolution,
    '--tenant',
    tenant,
  ];
  const found = (await json('query', 'aggregates', '--meter', 'm1', ...span)) as { start: string; sum: number }[];
  return found.map(({ start, sum }) => `${start} ${sum}`);
};
const utcDays = ['2024-01-09T00:00:00Z 1', '2024-01-10T00:00:00Z 24', '2024-01-11T00:00:00Z 23'];
const zurichDays = ['2024-01-09T23:00:00Z 24', '2024-01-10T23:00:00Z 24'];

test('a tenant made with its zone has local days from the first file on', async () => {
  await meterflow('tenants', 'create', 'zoned', '--time-zone', 'Europe/Zurich');
  await meterflow('import', file, '--tenant', 'zoned');
  expect(await sums('day', 'zoned')).toEqual(zurichDays);
}, 60_000);

test('a tenant that is not there is refused by import, and by its settings', async () => {
  const refused = { code: 'not-found', message: expect.stringContaining('meterflow tenants create typo') as string };
  await expect(meterflow('import', file, '--tenant', 'typo')).rejects.toMatchObject(refused);
  await expect(meterflow('tenants', 'set', 'typo', '--time-zone', 'UTC')).rejects.toMatchObject({ code: 'not-found' });
}, 60_000);

test('gas days and tariff registers are computed of what is stored, and withdrawn with their calendar', async () => {
  const tariff = join(dirname(place.dataDir), 'tariff.json');
  const weekend = { '00:00': 'night' };
  const periods = [{ from: '2024-01-01', weekday: { '00:00': 'night', '06:00': 'day', '22:00': 'night' }, weekend }];
  writeFileSync(tariff, JSON.stringify({ periods }));
  const tenant = ['--tenant', 'zoned'];
  await meterflow('calendars', 'put', 'gas-day', '--day-starts-at', '06:00', ...tenant);
  await meterflow('calendars', 'put', 'tariff', tariff, ...tenant);
  await expect(meterflow('calendars', 'put', 'x', tariff, '--day-starts-at', '06:00', ...tenant)).rejects.toThrow();
  const set = ['series', 'set', '--meter', 'm1', ...tenant, '--calendars'];
  await expect(meterflow(...set, 'tarif')).rejects.toMatchObject({ code: 'invalid-request' });
  expect(await json(...set, 'gas-day,tariff')).toMatchObject({ calendars: ['gas-day', 'tariff'] });
  const of = (channel: string, resolution = 'day'): Promise<unknown> => sums(resolution, 'zoned', channel);
  // The hours begin at midnight in Zurich: six of them are still of the gas day before.
  expect(await of('import@gas-day')).toEqual([
    '2024-01-09T05:00:00Z 6',
    '2024-01-10T05:00:00Z 24',
    '2024-01-11T05:00:00Z 18',
  ]);
  expect(await of('import@tariff.day')).toEqual(['2024-01-09T23:00:00Z 16', '2024-01-10T23:00:00Z 16']);
  expect(await of('import@tariff.night')).toEqual(['2024-01-09T23:00:00Z 8', '2024-01-10T23:00:00Z 8']);
  expect(await of('import@tariff.day', 'month')).toEqual(['2023-12-31T23:00:00Z 32']);
  expect(await of('import@gas-day', 'month')).toEqual(['2024-01-01T05:00:00Z 48']);
  await meterflow('calendars', 'remove', 'tariff', ...tenant);
  expect(await of('import@tariff.day')).toEqual([]);
  expect(await of('import@tariff.day', 'month')).toEqual([]);
  expect(await of('import@gas-day', 'month')).toEqual(['2024-01-01T05:00:00Z 48']);
}, 120_000);

test('a zone that changes has every day and month computed anew, with a server and without one', async () => {
  await meterflow('tenants', 'create', 'acme');
  await meterflow('import', file, '--tenant', 'acme');
  expect(await sums('day')).toEqual(utcDays);
  const series = ['--meter', 'm1', '--tenant', 'acme'];
  const told = { timeZone: 'Europe/Zurich', intervalMs: 3_600_000, unit: null, decimals: 6 };
  const recomputing = { series: 1, notices: 1 };
  const change = ['tenants', 'set', 'acme', '--time-zone', 'Europe/Zurich', '--interval', '1h'];
  expect(await json(...change)).toEqual({ ...told, recomputing });
  expect(await sums('day')).toEqual(zurichDays);
  expect(await sums('month')).toEqual(['2023-12-31T23:00:00Z 48']);
  const wrong = meterflow('series', 'set', ...series, '--time-zone', 'Europe/Zurch');
  await expect(wrong).rejects.toMatchObject({ code: 'invalid-request' });
  const shown = await json('series', 'show', ...series);
  expect(shown).toEqual({ meter: 'm1', channel: 'import', ...told });

  await server.stop();
  expect(await json('series', 'show', ...series)).toEqual(shown);
  expect(await json('series', 'set', ...series, '--time-zone', 'UTC')).toMatchObject({ timeZone: 'UTC', recomputing });
  expect(await sums('day')).toEqual(utcDays);
  expect(await sums('month')).toEqual(['2024-01-01T00:00:00Z 48']);
}, 180_000);
