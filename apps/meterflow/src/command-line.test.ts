import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand, startCommand, type CommandEnd } from './testing/run-command.ts';

// The command as a user types it, on one data directory, from the first import to the export: half of it without a server
// (each command then runs the services for itself), half with one.

const sample = 'samples/london-households.csv';
const readings = 5_040;
const series = ['--meter', 'MAC000010', '--channel', 'import'];
const oneDay = ['query', 'aggregates', ...series, '--from', '2013-03-25', '--to', '2013-03-26', '--resolution', 'day'];
const twoReadings = ['query', 'readings', ...series, '--from', '2013-03-25T00:00:00Z', '--to', '2013-03-25T01:00:00Z'];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'command-line-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function meterflow(...words: readonly string[]): Promise<CommandEnd> {
  return runCommand(...words, '--data-dir', join(folder, 'data'));
}

/** What the command said with --json; it must have ended well and said nothing else. */
async function json(...words: readonly string[]): Promise<unknown> {
  const { code, out, err } = await meterflow(...words, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

const receipt = {
  sourceId: expect.stringMatching(/^[0-9a-f]+\.\d+$/) as string,
  tenant: 'default',
  label: 'london-households.csv',
  state: 'complete',
  acceptedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
  received: readings,
  accepted: readings,
  rejected: 0,
  rejectsListed: 0,
  rejects: [],
  repeated: 0,
  gaps: 0,
  missing: 0,
  assumed: 0,
  remarks: [],
  duplicates: 0,
  inserted: readings,
  superseded: 0,
  shadowed: 0,
  conflicts: 0,
  // Of three meters: 35 days, their hours, and parts of two months.
  aggregatesWritten: 3 * (35 * 24 + 35 + 2),
  batches: expect.any(Number) as number,
  batchesDead: 0,
  batchesParked: 0,
  seconds: expect.any(Number) as number,
};
const day = {
  meter: 'MAC000010',
  channel: 'import',
  resolution: 'day',
  start: '2013-03-25T00:00:00Z',
  end: '2013-03-26T00:00:00Z',
  sum: 22.967,
  min: 0.153,
  max: 1.526,
  mean: 0.478479167,
  count: 48,
  unit: 'kWh',
  quality: 'measured',
  peakAt: '2013-03-25T19:00:00Z',
  ...{ expected: 48, missing: 0, surplus: 0, estimated: 0, substituted: 0, calculated: 0, notBillable: 0 },
  inputs: {
    acceptedAt: expect.any(String) as string,
    ticket: expect.any(Number) as number,
  },
  state: 'final',
};
const reading = { meter: 'MAC000010', channel: 'import', unit: 'kWh', quality: 'measured' };
const firstReading = { ...reading, start: '2013-03-25T00:00:00Z', end: '2013-03-25T00:30:00Z', value: 0.255 };

describe('without a server', () => {
  test('import brings a file through all stages and says what became of it', async () => {
    expect(await json('import', sample)).toEqual(receipt);
  });

  test('the same file again is all duplicates, and nothing is computed anew', async () => {
    const again = { ...receipt, inserted: 0, duplicates: readings, aggregatesWritten: 0 };
    expect(await json('import', sample)).toEqual(again);
  });

  test('query aggregates finds what was computed', async () => {
    expect(await json(...oneDay)).toEqual([day]);
  });

  test('what is wrong is said on standard error, with exit code 1', async () => {
    const { code, out, err } = await meterflow('import', 'no-such-file.csv', '--json');
    expect({ code, out, err }).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining('no-such-file.csv') as string,
    });
  });
});

describe('a command line that is wrong', () => {
  test.each([[['no-such-command']], [['import']], [['status', '--no-such-option']], [['query', 'aggregates']]])(
    '%j ends with 2 and touches nothing',
    async (words) => {
      const untouched = join(folder, 'untouched');
      const { code, out, err } = await runCommand(...words, '--data-dir', untouched);
      expect({ code, out, there: existsSync(untouched) }).toEqual({ code: 2, out: '', there: false });
      expect(err).toMatch(/^error: /);
    },
  );

  test('--help is no error', async () => {
    expect(await runCommand('import', '--help')).toMatchObject({ code: 0, err: '' });
  });
});

describe('with a server on the data directory', () => {
  let server: ReturnType<typeof startCommand>;
  let ready: unknown;
  beforeAll(async () => {
    server = startCommand(['dev', '--port', '0', '--json', '--data-dir', join(folder, 'data')]);
    const [line] = (await once(createInterface({ input: server.stdout! }), 'line')) as [string];
    ready = JSON.parse(line);
  });
  afterAll(() => {
    server.kill('SIGKILL');
  });

  test('it says where it listens', async () => {
    const { url } = ready as { url: string };
    expect(ready).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      dataDir: join(folder, 'data'),
      pid: server.pid,
      environment: {},
    });
    const openapi = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(openapi.paths)).toContain('/v1/sources');
  });

  test('a second server on it is refused', async () => {
    const { code, err } = await meterflow('dev', '--port', '0');
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(String(server.pid)) as string });
  });

  test('queries answer as they do without one', async () => {
    expect(await json(...oneDay)).toEqual([day]);
    const found = (await json(...twoReadings)) as object[];
    expect(found).toHaveLength(2);
    expect(found[0]).toMatchObject(firstReading);
    expect(await json(...twoReadings, '--raw')).toHaveLength(2);
  });

  test('tables are for people', async () => {
    const { code, out } = await meterflow(...twoReadings);
    expect(code).toBe(0);
    expect(out.split('\n')[2]).toMatch(/^2013-03-25T00:00:00Z {2}2013-03-25T00:30:00Z +0\.255 +kWh +measured/);
  });

  test('sql sees readings and aggregates', async () => {
    const counts = 'select (select count(*) from readings) as valid, (select count(*) from readings_raw) as raw';
    expect(await json('sql', counts)).toEqual([{ valid: readings, raw: readings }]);
    const total = "select sum(sum) as kwh from aggregates where resolution = 'day' and meter = 'MAC000010'";
    const days = "select sum(value) as kwh from readings where meter = 'MAC000010'";
    expect(await json('sql', total)).toEqual(await json('sql', days));
  });

  test('sql that can not be run is said so', async () => {
    expect(await meterflow('sql', 'drop table readings')).toMatchObject({ code: 1, out: '' });
  });

  test('export writes each reading of both layers and each aggregate once, in order', async () => {
    const file = join(folder, 'export.ndjson');
    expect(await json('export', '--out', file)).toEqual({ file });
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const kinds = lines.map((line) => (JSON.parse(line) as { kind: string; layer?: string }).kind);
    expect(lines).toEqual(lines.toSorted());
    expect(new Set(lines).size).toBe(2 * readings + receipt.aggregatesWritten);
    expect(kinds.filter((kind) => kind === 'reading')).toHaveLength(2 * readings);
    expect(kinds.filter((kind) => kind === 'aggregate')).toHaveLength(receipt.aggregatesWritten);
  });

  test('a line that is wrong is told with its place, and costs no other', async () => {
    const file = join(folder, 'late.csv');
    const row = (start: string, value: string): string => `late,import,${start},${value},kWh\n`;
    const header = 'meter_id,channel,start,value,unit\n';
    writeFileSync(file, header + row('2024-01-01T00:00:00Z', '1.5') + row('2024-01-01T00:30:00Z', 'much'));
    expect(await json('import', file)).toMatchObject({
      received: 2,
      accepted: 1,
      rejected: 1,
      inserted: 1,
      rejects: [{ line: 3, column: 'value' }],
    });
  });

  test('status knows that nothing waits and nothing is dead', async () => {
    const status = (await json('status')) as { backlogs: object[] };
    expect(status).toMatchObject({ idle: true, backlogMessages: 0, deadLetters: { dead: 0, parked: 0, purged: 0 } });
    expect(status.backlogs).toContainEqual({
      subscription: 'rule-execution.bulk',
      topic: 'readings.accepted.bulk',
      messages: 0,
      bytes: 0,
      ageSeconds: 0,
      leased: 0,
    });
    expect(await json('dead-letters', 'list')).toEqual([]);
  });

  test('SIGTERM drains it, and it ends with 0', async () => {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});
