import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
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
const head = 'meter_id,channel,start,end,value,unit';

async function imported(name: string, lines: readonly string[]): Promise<void> {
  const folder = join(dirname(place.dataDir), 'files');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), [head, ...lines].join('\n'));
  await meterflow('import', join(folder, name));
}

function quarter(meter: string, index: number, value: number | string): string {
  const at = (quarters: number): string => new Date(Date.UTC(2024, 0, 1) + quarters * 900_000).toISOString();
  return `${meter},import,${at(index)},${at(index + 1)},${value},kWh`;
}

async function explained(...words: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await meterflow('explain', ...words, '--json')) as Record<string, unknown>;
}

test('a reading tells the file and line of each of its versions, the newest first', async () => {
  await imported('first.csv', [quarter('m1', 0, 1), quarter('m1', 1, 99), quarter('m1', 2, 3)]);
  await imported('second.csv', [quarter('m1', 1, 2)]);
  const told = await explained('--meter', 'm1', '--at', '2024-01-01T00:20:00Z');
  expect(told).toMatchObject({
    ...{ meter: 'm1', channel: 'import', start: '2024-01-01T00:15:00Z', end: '2024-01-01T00:30:00Z' },
    changedByRules: false,
    validated: { value: 2, current: true, activation: { number: 0, rules: [{ name: 'flag-range' }] } },
    raw: { value: 2, current: true, origins: [{ label: 'second.csv', line: 2 }] },
  });
  const raw = (told['versions'] as Record<string, unknown>[]).filter(({ layer }) => layer === 'raw');
  expect(raw).toMatchObject([
    { value: 2, current: true, origins: [{ label: 'second.csv', line: 2 }] },
    { value: 99, current: false, origins: [{ label: 'first.csv', line: 3 }] },
  ]);
  const shown = await meterflow('explain', '--meter', 'm1', '--at', '2024-01-01T00:20:00Z');
  expect(shown).toContain('second.csv line 2');
  expect(shown).toContain('first.csv line 3');
}, 60_000);

test('a rule that changed a reading is named with its version, and what came is told', async () => {
  await meterflow(
    ...['rules', 'activate', 'convert-unit', '--from', '2024-01-01', '--parameters', 'factor=1000,unit=Wh'],
    ...['--why', 'in watt hours'],
  );
  await imported('ruled.csv', [quarter('m2', 0, 1.5), quarter('m2', 2, 2)]);
  // What was accepted before the activation was known everywhere is computed anew under it.
  await vi.waitFor(
    async () => {
      expect((await explained('--meter', 'm2', '--at', '2024-01-01'))['changedByRules']).toBe(true);
    },
    {
      timeout: 40_000,
      interval: 500,
    },
  );
  expect(await explained('--meter', 'm2', '--at', '2024-01-01')).toMatchObject({
    validated: {
      ...{ value: 1500, unit: 'Wh' },
      activation: {
        why: 'in watt hours',
        computed: true,
        rules: [
          { name: 'flag-range', gave: { value: 1.5, unit: 'kWh', quality: 'measured' } },
          { name: 'convert-unit', gave: { value: 1500, unit: 'Wh' } },
        ],
      },
    },
    raw: { value: 1.5, unit: 'kWh', origins: [{ label: 'ruled.csv', line: 2 }] },
  });
}, 60_000);

test('an aggregate tells what is missing, what was changed, and who brought its readings', async () => {
  const hour = ['--meter', 'm2', '--at', '2024-01-01T00:40:00Z', '--resolution', 'hour'];
  await vi.waitFor(
    async () => {
      expect(await explained(...hour)).toMatchObject({ aggregate: { unit: 'Wh' } });
    },
    {
      timeout: 40_000,
      interval: 500,
    },
  );
  expect(await explained(...hour)).toMatchObject({
    aggregate: { sum: 3500, unit: 'Wh', count: 2 },
    missing: ['2024-01-01T00:15:00Z', '2024-01-01T00:45:00Z'],
    changed: [
      { start: '2024-01-01T00:00:00Z', value: 1500, raw: 1.5 },
      { start: '2024-01-01T00:30:00Z', value: 2000, raw: 2 },
    ],
    sources: [{ label: 'ruled.csv', readings: 2, firstLine: 2, lastLine: 3 }],
    cut: false,
  });
  const shown = await meterflow('explain', '--meter', 'm2', '--at', '2024-01-01T00:40:00Z', '--resolution', 'day');
  expect(shown).toContain('3500 Wh');
  expect(shown).toContain('ruled.csv');
}, 60_000);

test('a register is explained by the readings of its series that it takes', async () => {
  await meterflow('calendars', 'put', 'gas-day', '--day-starts-at', '06:00');
  await meterflow('tenants', 'set', 'default', '--calendars', 'gas-day');
  // Two before the gas day begins, two in it.
  await imported(
    'gas.csv',
    [22, 23, 24, 26].map((index) => quarter('m3', index, 1)),
  );
  const day = ['--meter', 'm3', '--channel', 'import@gas-day', '--at', '2024-01-01T12:00:00Z', '--resolution', 'day'];
  await vi.waitFor(() => explained(...day), { timeout: 40_000, interval: 500 });
  const told = await explained(...day);
  expect(told).toMatchObject({
    aggregate: { channel: 'import@gas-day', start: '2024-01-01T06:00:00Z', count: 2 },
    sources: [{ label: 'gas.csv', readings: 2, firstLine: 4, lastLine: 5 }],
  });
  expect((told['missing'] as string[]).slice(0, 2)).toEqual(['2024-01-01T06:15:00Z', '2024-01-01T06:45:00Z']);
  expect((told['changed'] as { start: string }[]).map(({ start }) => start)).toEqual([
    ...['2024-01-01T06:00:00Z', '2024-01-01T06:30:00Z'],
  ]);
}, 120_000);

test('where nothing is, it says so', async () => {
  await expect(explained('--meter', 'm9', '--at', '2024-01-01')).rejects.toThrow(/no reading of meter m9/);
}, 60_000);

test('a gap that rules filled tells which of them did, and what those after it made of that', async () => {
  await meterflow('rules', 'activate', 'fill-linear', '--from', '2024-01-01', '--why', 'gaps');
  await imported('gap.csv', [quarter('m4', 0, 1), quarter('m4', 2, 3)]);
  const place = ['--meter', 'm4', '--at', '2024-01-01T00:20:00Z'];
  await vi.waitFor(
    async () => {
      expect((await explained(...place))['changedByRules']).toBe(true);
    },
    { timeout: 60_000, interval: 500 },
  );
  expect(await explained(...place)).toMatchObject({
    validated: {
      quality: 'estimated',
      activation: {
        rules: [
          { name: 'flag-range', gave: null },
          { name: 'convert-unit', gave: null },
          { name: 'fill-linear', gave: { value: 2000, unit: 'Wh', quality: 'estimated' } },
        ],
      },
    },
  });
  expect(await meterflow('explain', ...place)).toMatch(/convert-unit \w+ → –, fill-linear \w+ → 2000 Wh/);
}, 90_000);

test('a group’s window tells what counts in it, and since when', async () => {
  const file = join(dirname(place.dataDir), 'files', 'street.json');
  writeFileSync(file, JSON.stringify({ timeZone: 'UTC', intervalMs: 900_000, source: { kind: 'members' } }));
  await meterflow('groups', 'put', 'street', file);
  const members = join(dirname(place.dataDir), 'files', 'members.csv');
  const lines = ['meter,channel,group,valid_from', 'm5,import,street,', 'm6,import,street,2024-01-01T12:00:00Z'];
  writeFileSync(members, lines.join('\n'));
  await meterflow('registry', 'import', members);
  await imported(
    'street.csv',
    [0, 48].flatMap((index) => [quarter('m5', index, 1), quarter('m6', index, 10)]),
  );
  const day = ['--meter', 'group:street', '--at', '2024-01-01T12:00:00Z', '--resolution', 'day'];
  await vi.waitFor(
    async () => {
      expect(await explained(...day)).toMatchObject({ aggregate: { sum: 12, unit: 'kWh' } });
    },
    { timeout: 60_000, interval: 500 },
  );
  expect(await explained(...day)).toMatchObject({
    missing: [],
    changed: [],
    cut: false,
    parts: [
      { meter: 'm5', channel: 'import', aggregate: { sum: 2000, count: 2 } },
      { meter: 'm6', channel: 'import', from: '2024-01-01T12:00:00Z', aggregate: { sum: 20_000, count: 2 } },
    ],
  });
  expect(await meterflow('explain', ...day)).toMatch(/m6 .* 20000 Wh .* 2024-01-01T12:00:00Z to/);
}, 90_000);

test('a window of which all readings were withdrawn tells what stood there, and which version took it', async () => {
  await imported('there.csv', [quarter('m7', 0, 1.5), quarter('m7', 1, 2)]);
  const gone = [quarter('m7', 0, ''), quarter('m7', 1, '')].map((line) => `${line},missing`);
  const file = join(dirname(place.dataDir), 'files', 'gone.csv');
  writeFileSync(file, [`${head},quality`, ...gone].join('\n'));
  const hour = ['--meter', 'm7', '--at', '2024-01-01T00:40:00Z', '--resolution', 'hour'];
  await vi.waitFor(
    async () => {
      expect(await explained(...hour)).toMatchObject({ aggregate: { count: 2 } });
    },
    { timeout: 40_000, interval: 500 },
  );
  await meterflow('import', file);
  await vi.waitFor(
    async () => {
      expect(await explained(...hour)).toMatchObject({ aggregate: null });
    },
    { timeout: 40_000, interval: 500 },
  );
  const told = await explained(...hour);
  expect(told).toMatchObject({
    ...{ start: '2024-01-01T00:00:00Z', end: '2024-01-01T01:00:00Z' },
    changed: [
      { start: '2024-01-01T00:00:00Z', value: null, quality: 'missing', reason: 'withdrawn', was: 1.5 },
      { start: '2024-01-01T00:15:00Z', value: null, was: 2 },
    ],
    sources: [
      { label: 'there.csv', readings: 2 },
      { label: 'gone.csv', readings: 2, firstLine: 2, lastLine: 3 },
    ],
  });
  const [first] = told['changed'] as Record<string, unknown>[];
  const [, took] = told['sources'] as Record<string, unknown>[];
  expect(first?.['acceptedAt']).toBe(took?.['acceptedAt']);
  const month = await explained('--meter', 'm7', '--at', '2024-01-20', '--resolution', 'month');
  expect(month).toMatchObject({ aggregate: null, start: '2024-01-01T00:00:00Z', end: '2024-02-01T00:00:00Z' });
  expect(await meterflow('explain', ...hour)).toContain('all that came was withdrawn');
  const next = ['--meter', 'm7', '--at', '2024-01-02', '--resolution', 'day'];
  await expect(explained(...next)).rejects.toThrow(/no day of readings of meter m7/);
}, 120_000);
