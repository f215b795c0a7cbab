import { randomUUID } from 'node:crypto';
import { DueRecomputes, SeriesRegistry } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/testing';
import { describe, expect, test } from 'vitest';
import { exportLines } from './export-registry.ts';
import { importRegistry, type RegistryImport } from './import-registry.ts';
import { registryLineBytesMax } from './lines.ts';
import { RegistryHeaderError, registryLines, type RegistryFormat, type RegistryReject } from './registry-lines.ts';

/** Of the tenant: `c0` to `c49`. */
const calendars = new Set(Array.from({ length: 50 }, (_, index) => `c${index}`));

function setUp() {
  const registry = new MemoryRegistry();
  const series = new SeriesRegistry({ registry, nowMs: () => Date.UTC(2025, 0, 1), cacheMs: -1 });
  const dueRecomputes = new DueRecomputes({ registry, nowMs: () => 0, newId: randomUUID });
  const rejects: RegistryReject[] = [];
  const load = (
    content: string | Uint8Array,
    {
      format = 'csv',
      allOrNothing = false,
      pieceBytes = 7,
    }: { format?: RegistryFormat; allOrNothing?: boolean; pieceBytes?: number } = {},
  ): Promise<RegistryImport> =>
    importRegistry('acme', registryLines(pieces(Buffer.from(content), pieceBytes), { format, calendars }), {
      series,
      dueRecomputes,
      allOrNothing,
      onReject: (reject) => rejects.push(reject),
      onProgress: () => undefined,
      onTouched: () => Promise.resolve(),
      signal: new AbortController().signal,
    });
  const exported = async () => {
    const lines: object[] = [];
    for await (const entry of series.all('acme')) {
      lines.push(...exportLines(entry));
    }
    return lines;
  };
  return { series, dueRecomputes, rejects, load, exported };
}

// eslint-disable-next-line @typescript-eslint/require-await -- as bytes come from a socket
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) {
    yield bytes.subarray(from, from + size);
  }
}

const header = 'meter,channel,time_zone,interval,unit,decimals,group,valid_from,valid_to,grid_area,supplier';

describe('a registry file', () => {
  test('says settings for all time, and lengths, tags and memberships within a validity', async () => {
    const { load, exported } = setUp();
    const file = [
      `\ufeff${header}\r`,
      'm1,import,Europe/Copenhagen,1h,kWh,3,,,,0804,"X, Ltd"',
      '',
      'm1,,,15m,,,house 1;house 2,2024-03-01T00:00:00+01:00,2024-04-01T00:00:00+02:00,805,',
    ].join('\n');
    expect(await load(file)).toEqual({ lines: 2, applied: 2, rejected: 0, changed: 1 });
    const lines = await exported();
    const [from, to] = ['2024-02-29T23:00:00.000Z', '2024-03-31T22:00:00.000Z'];
    const series = { meter: 'm1', channel: 'import' };
    expect(lines).toEqual([
      {
        ...series,
        ...{ time_zone: 'Europe/Copenhagen', interval: 3_600_000, unit: 'kWh', decimals: 3 },
        ...{ since: from, tags: { grid_area: '0804', supplier: 'X, Ltd' } },
      },
      { ...series, interval: 900_000, valid_from: from },
      { ...series, interval: 3_600_000, valid_from: to },
      { ...series, tags: { grid_area: 805 }, valid_from: from },
      { ...series, tags: { grid_area: '0804' }, valid_from: to },
      { ...series, group: 'house 1', valid_from: from, valid_to: to },
      { ...series, group: 'house 2', valid_from: from, valid_to: to },
    ]);
    expect(await load(file)).toMatchObject({ applied: 2, changed: 0 });
  });

  test('that was exported makes the same registry elsewhere', async () => {
    const one = setUp();
    await one.load(
      `${header}\nm1,import,UTC,1h,kWh,3,,,,804,X\nm1,,,15m,,,g,2024-03-01T00:00:00Z,,805,\nm/2,é,,,,,,,,1,`,
    );
    const lines = await one.exported();
    const other = setUp();
    await other.load(lines.map((line) => JSON.stringify(line)).join('\n'), { format: 'ndjson' });
    expect(other.rejects).toEqual([]);
    expect(await other.exported()).toEqual(lines);
  });

  test('has its bad lines told by line and column, and all good ones applied, however it comes', async () => {
    const bad = [
      'm1,import,Mars/Olympus,,,,,,,,',
      ',import,,,,,,,,,',
      'm1,import,,fast,,,,,,,',
      'm1,import,,,stone,,,,,,',
      'm1,import,,,,,,2024-01-01,,,',
      'm1,import,,,,,,2024-01-02T00:00:00Z,2024-01-01T00:00:00Z,,',
      'group:a,import,,,,,,,,,',
      'm1,import',
      '"m1,import,,,,,,,,,',
      'x'.repeat(registryLineBytesMax + 1),
    ];
    const file = Buffer.concat([
      Buffer.from([header, ...bad, ''].join('\n')),
      Buffer.of(0xff, 0xfe, 0x0a),
      Buffer.from('m2,import,,1h,,,,,,804,\n'),
    ]);
    for (const pieceBytes of [3, 50_000]) {
      const { load, rejects } = setUp();
      expect(await load(file, { pieceBytes })).toEqual({ lines: 12, applied: 1, rejected: 11, changed: 1 });
      expect(rejects.map(({ line, column }) => [line, column])).toEqual([
        [2, 'time_zone'],
        [3, 'meter'],
        [4, 'interval'],
        [5, 'unit'],
        [6, 'valid_from'],
        [7, 'valid_to'],
        [8, 'meter'],
        [9, ''],
        [10, ''],
        [11, ''],
        [12, ''],
      ]);
    }
  });

  test('names calendars that there are, or none; a name that is not known is told with what to do', async () => {
    const { series, load, rejects, exported } = setUp();
    await series.setDefault('acme', { calendars: ['c1'] });
    const file = 'meter,calendars\nm1,c0;c2\nm2,-\nm3,c1;peak\nm4,\nm5,C0\n';
    expect(await load(file)).toMatchObject({ applied: 3, rejected: 2 });
    expect(rejects.map(({ line, column }) => [line, column])).toEqual([
      [4, 'calendars'],
      [6, 'calendars'],
    ]);
    expect(rejects[0]?.reason).toContain('there is no calendar peak: make it first (meterflow calendars put)');
    const calendarsOf = async (of: SeriesRegistry, meter: string) =>
      (await of.current('acme', { meter, channel: 'import' })).calendars;
    // Without any, whatever the defaults say: also after an export and an import elsewhere.
    const other = setUp();
    await other.series.setDefault('acme', { calendars: ['c1'] });
    await other.load((await exported()).map((line) => JSON.stringify(line)).join('\n'), { format: 'ndjson' });
    for (const of of [series, other.series]) {
      expect(await calendarsOf(of, 'm1')).toEqual(['c0', 'c2']);
      expect(await calendarsOf(of, 'm2')).toEqual([]);
      expect(await calendarsOf(of, 'm4')).toEqual(['c1']);
    }
  });

  test('has a line told that asks too much of a series, and all others applied', async () => {
    const { series, dueRecomputes, load, rejects } = setUp();
    const m1 = { meter: 'm1', channel: 'import' };
    for (let index = 0; index <= 32; index++) {
      await series.set('acme', m1, { calendars: [`c${index}`] });
    }
    const file = 'meter,calendars,interval\nm0,c0,1h\nm1,c40,\nm1,,15m\nm2,c0,\n';
    expect(await load(file)).toMatchObject({ lines: 4, applied: 3, rejected: 1 });
    expect(rejects).toMatchObject([{ line: 3, column: 'calendars' }]);
    expect(rejects[0]?.reason).toContain('has left 32 calendars already');
    expect((await series.current('acme', m1)).intervalMs).toBe(900_000);
    expect((await series.current('acme', { meter: 'm2', channel: 'import' })).calendars).toEqual(['c0']);
    expect(await dueRecomputes.list()).toEqual([]);
  });

  test('is applied whole or not at all where that is asked for', async () => {
    const { load, exported } = setUp();
    const good = `${header}\nm2,import,,1h,,,,,,804,\n`;
    expect(await load(`${good},,,,,,,,,,`, { allOrNothing: true })).toMatchObject({ applied: 0, rejected: 1 });
    expect(await exported()).toEqual([]);
    expect(await load(good, { allOrNothing: true })).toMatchObject({ applied: 1, changed: 1 });
  });

  test('that breaks off has what was applied of it computed anew: the same lines once more change nothing', async () => {
    const { series, dueRecomputes } = setUp();
    const touched: string[] = [];
    const breakingOff = async function* (): AsyncGenerator<Uint8Array> {
      const lines = Array.from({ length: 600 }, (_, index) => `m${index},import,,1h,,,,,,,\n`);
      yield Buffer.from(`${header}\n${lines.join('')}`);
      await Promise.reject(new Error('the sender went away'));
    };
    const work = importRegistry('acme', registryLines(breakingOff(), { format: 'csv', calendars }), {
      ...{ series, dueRecomputes, allOrNothing: false, onReject: () => undefined, onProgress: () => undefined },
      onTouched: (some) => {
        touched.push(...some.map((each) => each.series.meter));
        return Promise.resolve();
      },
      signal: new AbortController().signal,
    });
    await expect(work).rejects.toThrow('went away');
    expect(touched).toHaveLength(500);
    expect(await dueRecomputes.list()).toEqual([]);
  });

  test.each([
    'channel,tag\nimport,1',
    'meter,a,a\nm,1,2',
    `meter,${Array.from({ length: 100 }, (_, index) => `t${index}`).join(',')}\n`,
  ])('without a header that names its columns is refused whole: %.30s', async (file) => {
    const { load } = setUp();
    await expect(load(file)).rejects.toThrow(RegistryHeaderError);
  });

  test.each(['[]', '7', '{"meter":', '{"meter":"m","tags":[]}', '{"meter":{"a":1}}', '{"meter":"m","interval":"1 h"}'])(
    'of NDJSON has %s told',
    async (line) => {
      const { load, rejects } = setUp();
      expect(await load(line, { format: 'ndjson' })).toMatchObject({ applied: 0, rejected: 1 });
      expect(rejects).toHaveLength(1);
    },
  );
});
