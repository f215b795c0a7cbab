import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { DatabaseSync } from 'node:sqlite';
import type { Receipt } from '@meterflow/receipts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Output } from './cli-context.ts';
import type { EmbeddedServer } from './server/start-server.ts';
import { commandIn, newDataDir, startTestServer } from './testing/test-server.ts';

// One server for all that takes one; what it is told, over HTTP and by the command, is of two tenants.

const place = newDataDir();
let server: EmbeddedServer;
let url: string;
let sourceId: string;
const keys: Record<string, string> = {};

const meterflow = (...words: string[]): Promise<string> => commandIn(place.dataDir, words);
const json = async (...words: string[]): Promise<unknown> => JSON.parse(await meterflow(...words, '--json'));

const span = ['--from', '2024-01-01', '--to', '2024-02-01'];
const header = 'meter_id,channel,start,value,unit\n';
const lineOf = (meter: string, hour: number, value: string | number): string =>
  `${meter},import,2024-01-01T${String(hour).padStart(2, '0')}:00:00Z,${value},kWh\n`;

function readingsOf(...meters: string[]): string {
  return header + meters.flatMap((meter) => [0, 1, 2, 3].map((hour) => lineOf(meter, hour, `${hour}.5`))).join('');
}

async function written(name: string, text: string): Promise<string> {
  const file = join(dirname(place.dataDir), name);
  writeFileSync(file, text);
  return Promise.resolve(file);
}

beforeAll(async () => {
  server = await startTestServer(place.dataDir);
  url = server.url ?? '';
  for (const tenant of ['acme', 'other']) {
    await meterflow('tenants', 'create', tenant);
    for (const role of ['provider', 'customer', 'operator']) {
      const made = (await json('keys', 'create', '--tenant', tenant, '--role', role)) as { key: string };
      keys[`${tenant} ${role}`] = made.key;
    }
  }
  const file = await written('acme-secret.csv', readingsOf('secret-1', 'secret-2') + lineOf('secret-1', 4, 'Null'));
  ({ sourceId } = (await json('import', file, '--tenant', 'acme')) as Receipt);
}, 60_000);

afterAll(async () => {
  await server.stop();
  place.remove();
});

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly security?: readonly unknown[];
}

async function operations(): Promise<readonly Operation[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Omit<Operation, 'method' | 'path'>>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
  );
}

function call({ method, path }: Pick<Operation, 'method' | 'path'>, key?: string): Promise<Response> {
  const query = path.includes('?') ? '' : '?meter=secret-1&channel=import&from=2024-01-01&to=2024-02-01';
  return fetch(url + path + (/^\/v1\/(readings|aggregates)$/.test(path) && method === 'GET' ? query : ''), {
    method,
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
  });
}

describe('the one address of the server', () => {
  test('answers for all services: health and one API document', async () => {
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const all = await operations();
    const names = all.map(({ method, path }) => `${method} ${path}`);
    expect(names).toEqual(
      expect.arrayContaining([
        'GET /v1/readings',
        'POST /v1/readings',
        'PUT /v1/mappings/{name}',
        'POST /v1/erasures',
        'POST /v1/sql',
      ]),
    );
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
  });

  test('lets nobody in without a credential, by any route of the document', async () => {
    const all = (await operations()).filter(({ security }) => security?.length !== 0);
    expect(all.length).toBeGreaterThan(25);
    for (const operation of all) {
      const statuses = [await call(operation), await call(operation, 'mf_0000000000000000_nonsense')].map(
        ({ status }) => status,
      );
      expect({ ...operation, statuses }).toMatchObject({ statuses: [401, 401] });
    }
  });

  test('shows nothing of a tenant to another one, by any route of the document', async () => {
    await meterflow('mappings', 'put', await written('secret-mapping.json', mappingText), '--tenant', 'acme');
    const ids: Record<string, string> = { '/v1/sources': sourceId, '/v1/mappings': 'secret-mapping' };
    for (const operation of await operations()) {
      const prefix = /^\/v1\/\w+/.exec(operation.path)?.[0] ?? '';
      const path = operation.path.replace(/\{\w+\}/, ids[prefix] ?? 'acme');
      for (const role of ['provider', 'customer']) {
        const answer = await call({ ...operation, path }, keys[`other ${role}`]);
        const text = await answer.text();
        expect(text, `${operation.method} ${path} as ${role}`).not.toMatch(
          // What has an id in its path may repeat that id.
          path === operation.path ? /secret/ : /secret-[12]|acme-secret/,
        );
        if (path !== operation.path) {
          expect([403, 404, 415], `${operation.method} ${path} as ${role}`).toContain(answer.status);
        }
      }
    }
    const own = await call({ method: 'GET', path: '/v1/readings' }, keys['acme customer']);
    expect(await own.text()).toContain('secret-1');
    expect(await meterflow('mappings', 'show', 'secret-mapping', '--tenant', 'acme')).toContain('secret-mapping');
    expect((await call({ method: 'GET', path: `/v1/sources/${sourceId}` }, keys['acme customer'])).status).toBe(200);
  });

  test("keeps an operator's erasures and SQL to the own tenant", async () => {
    const as = (tenant: string, path: string, body: object): Promise<Response> =>
      fetch(url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys[`${tenant} operator`] ?? ''}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect(await (await as('other', '/v1/erasures', { everything: true })).json()).toMatchObject({ tenant: 'other' });
    const sql = 'select count(*) as n from readings';
    expect(await (await as('other', '/v1/sql', { sql })).json()).toEqual([{ n: 0 }]);
    expect(await (await as('acme', '/v1/sql', { sql })).json()).toEqual([{ n: 8 }]);
  });
});

const mappingText = JSON.stringify({
  ...{ meter: { column: 'id' }, channel: { constant: 'import' }, time: { column: 'at' } },
  ...{ interval: { length: '1h' }, value: { column: 'kwh' }, unit: { constant: 'kWh' } },
});

describe('mappings', () => {
  test('are checked, put, used, shown and removed', async () => {
    const file = await written('mine.json', mappingText);
    expect(await meterflow('mappings', 'check', file)).toContain('is a mapping');
    await expect(meterflow('mappings', 'show', 'mine')).rejects.toThrow('there is no mapping "mine"');
    expect(await json('mappings', 'put', file)).toMatchObject({ name: 'mine', builtIn: false });
    expect(JSON.parse(await meterflow('mappings', 'show', 'mine'))).toMatchObject({ value: { column: 'kwh' } });
    const readings = await written('mapped.csv', 'id,at,kwh\nmapped,2024-01-01T00:00:00Z,1.25\n');
    expect(await json('import', readings, '--mapping', 'mine')).toMatchObject({ accepted: 1, rejected: 0 });
    expect(await meterflow('mappings', 'list')).toMatch(/^mine .*false$/m);
    expect(await json('mappings', 'remove', 'mine')).toEqual({ name: 'mine' });
    await expect(meterflow('import', readings, '--mapping', 'mine')).rejects.toThrow('there is no mapping "mine"');
  });

  test('that are wrong are told with every problem and its place', async () => {
    const file = await written('wrong.yaml', 'meter: { column: id }\ntime: 5\n');
    await expect(meterflow('mappings', 'check', file)).rejects.toThrow(/time[\s\S]*\n[\s\S]*line \d/);
    await expect(meterflow('mappings', 'put', join(place.dataDir, 'no.yaml'))).rejects.toThrow('there is no file');
  });
});

describe('receipts', () => {
  test('are listed, shown and their rejects told line by line', async () => {
    expect(await json('sources', 'list', '--tenant', 'acme')).toMatchObject([{ sourceId, accepted: 8, rejected: 1 }]);
    expect(await meterflow('sources', 'list', '--tenant', 'acme')).toContain('acme-secret.csv');
    expect(await meterflow('sources', 'show', sourceId, '--tenant', 'acme')).toContain('accepted    8');
    const rejects = await meterflow('sources', 'rejects', sourceId, '--tenant', 'acme', '--json');
    expect(JSON.parse(rejects)).toMatchObject({ line: 10, column: 'value' });
    await expect(meterflow('sources', 'show', sourceId)).rejects.toThrow(`there is no source ${sourceId}`);
  });

  test('of a file that is taken not at all are an error', async () => {
    const file = await written('nonsense.csv', 'some,thing\nelse,entirely\n');
    await expect(meterflow('import', file)).rejects.toMatchObject({ code: 'not-stored' });
  });
});

describe('queries', () => {
  const query = (...words: string[]): Promise<string> => meterflow('query', ...words, '--tenant', 'acme', ...span);

  test('show numbers with all their digits, and charts on a terminal', async () => {
    const notes: string[] = [];
    const terminal = { isTTY: true, write: () => true } as unknown as Output['terminal'];
    const words = ['query', 'readings', '--meter', 'secret-1', '--tenant', 'acme', ...span];
    const text = await commandIn(place.dataDir, words, { terminal, note: (note) => void notes.push(note) });
    expect(text).toMatch(/2024-01-01T03:00:00Z +2024-01-01T04:00:00Z +3\.5 +kWh +measured/);
    expect(notes.join()).toContain('█');
    expect(await query('aggregates', '--meter', 'secret-1', '--resolution', 'day', '--json')).toContain('"sum":8,');
  });

  test('of an unknown meter say how to find the known ones', async () => {
    const notes: string[] = [];
    const words = ['query', 'readings', '--meter', 'nobody', ...span];
    expect(await commandIn(place.dataDir, words, { note: (note) => void notes.push(note) })).toBe('');
    expect(notes.join()).toContain('select distinct tenant, meter, channel from readings');
  });

  test('do not make the tenant that they name', async () => {
    await meterflow('query', 'readings', '--meter', 'm', '--tenant', 'mistyped', ...span);
    expect(await meterflow('tenants', 'list')).not.toContain('mistyped');
  });
});

describe('recompute', () => {
  test('computes the aggregates of a meter, or of all, anew, and says so where there are none', async () => {
    const before = await json('query', 'aggregates', '--meter', 'secret-1', '--tenant', 'acme', ...span);
    const one = await meterflow('recompute', '--tenant', 'acme', '--meter', 'secret-1');
    expect(one).toContain('The aggregates of 1 series are computed anew.');
    const after = await json('query', 'aggregates', '--meter', 'secret-1', '--tenant', 'acme', ...span);
    expect(ticketsOf(after)).toBeGreaterThan(ticketsOf(before));
    expect(await json('recompute', '--tenant', 'acme')).toMatchObject({ series: 2 });
    expect(await meterflow('recompute', '--tenant', 'acme', '--meter', 'nobody')).toContain('Nothing is stored of it.');
    await expect(meterflow('recompute', '--tenant', 'mistyped')).rejects.toThrow('there is no tenant mistyped');
  });

  function ticketsOf(rows: unknown): number {
    return (rows as { inputs: { ticket: number } }[]).reduce((sum, { inputs }) => sum + inputs.ticket, 0);
  }
});

describe('erasure', () => {
  const count = async (where: string): Promise<unknown> => {
    const of = (view: string): string => `(select count(*) from ${view} where ${where})`;
    const sql = `select ${of('readings')} + ${of('readings_raw')} + ${of('aggregates')} as n`;
    return ((await json('sql', sql)) as { n: number }[])[0]?.n;
  };

  test('asks first, and does nothing without the right word', async () => {
    await expect(meterflow('erase', '--tenant', 'acme')).rejects.toMatchObject({ code: 'not-confirmed' });
    const typing = async (text: string): Promise<string> => {
      const input = Object.assign(new PassThrough(), { isTTY: true });
      const terminal = Object.assign(new PassThrough(), { isTTY: true });
      input.end(`${text}\n`);
      const asked = { input, terminal } as unknown as Partial<Output>;
      return commandIn(place.dataDir, ['erase', '--tenant', 'acme', '--meter', 'none-such'], asked);
    };
    await expect(typing('acme')).rejects.toMatchObject({ code: 'not-confirmed' });
    expect(await typing('none-such')).toContain('Erased meter none-such of tenant acme');
    await expect(meterflow('erase', '--tenant', 'mistyped', '--yes')).rejects.toThrow('there is no tenant mistyped');
  });

  test('of the only member of a group leaves nothing of it in the group', async () => {
    const channel = 'import';
    const street = { channel, timeZone: 'UTC', intervalMs: 3_600_000, source: { kind: 'members' } };
    await meterflow('groups', 'put', 'alone', await written('alone.json', JSON.stringify(street)), '--tenant', 'acme');
    await meterflow('import', await written('only.csv', readingsOf('only')), '--tenant', 'acme');
    const members = await written(
      'members.csv',
      `meter,channel,group,valid_from\nonly,${channel},alone,2020-01-01T00:00:00Z\n`,
    );
    await meterflow('registry', 'import', members, '--tenant', 'acme');
    expect(await count("meter = 'group:alone'")).toBeGreaterThan(1);
    await meterflow('erase', '--tenant', 'acme', '--meter', 'only', '--yes');
    await expect.poll(() => count("meter = 'group:alone'"), { timeout: 30_000, interval: 300 }).toBe(0);
  });

  test('of a meter holds against a replay of all that came before, and against its file', async () => {
    expect(await count("meter = 'secret-1'")).toBeGreaterThan(8);
    const proof = (await json('erase', '--tenant', 'acme', '--meter', 'secret-1', '--yes')) as object;
    expect(proof).toMatchObject({ clean: true, erased: { raw: { rows: 1 }, receipts: { rejects: 1 } } });
    for (const subscription of ['rule-execution.bulk', 'persistence-raw.bulk', 'persistence-validated.bulk']) {
      await meterflow('replay', '--subscription', subscription, '--from', '2020-01-01');
    }
    const again = await json('import', join(dirname(place.dataDir), 'acme-secret.csv'), '--tenant', 'acme');
    expect(again).toMatchObject({ accepted: 8, duplicates: 4, shadowed: 4 });
    expect(await count("meter = 'secret-1'")).toBe(0);
    expect(await count("meter = 'secret-2'")).toBeGreaterThan(8);
    const rejects = await meterflow('sources', 'rejects', sourceId, '--tenant', 'acme');
    expect(rejects).not.toContain('secret-1');
  });

  test('of a tenant leaves nothing of it, and what comes later is stored', async () => {
    const text = await meterflow('erase', '--tenant', 'acme', '--yes');
    expect(text).toContain('Erased tenant acme');
    expect(await count("tenant = 'acme'")).toBe(0);
    const out = join(dirname(place.dataDir), 'export.ndjson');
    await meterflow('export', '--out', out);
    expect(readFileSync(out, 'utf8')).not.toContain('acme');
    const later = await written('later.csv', readingsOf('new-meter'));
    expect(await json('import', later, '--tenant', 'acme')).toMatchObject({ inserted: 4 });
    expect(await count("tenant = 'acme' and meter = 'new-meter'")).toBeGreaterThan(8);
  });
});

describe('a server that can not start says why at once', () => {
  test('on a taken port', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const other = newDataDir();
    const { port } = taken.address() as AddressInfo;
    await expect(startTestServer(other.dataDir, { port })).rejects.toThrow(
      `port ${port} of 127.0.0.1 is taken; choose another with --port ${port + 1}`,
    );
    taken.close();
    other.remove();
  });

  test('on a directory of a newer build, and of another server', async () => {
    await expect(startTestServer(place.dataDir)).rejects.toThrow(/Another meterflow server .* --data-dir/);
    const other = newDataDir();
    await (await startTestServer(other.dataDir, { services: ['control'] })).stop();
    const file = new DatabaseSync(join(other.dataDir, 'stores', 'raw.sqlite'));
    file.exec('pragma user_version = 99');
    file.close();
    await expect(startTestServer(other.dataDir, { services: ['control'] })).rejects.toThrow(
      /control can't start: .*raw\.sqlite has format 99/,
    );
    other.remove();
  });

  test('on what is no directory', async () => {
    const file = await written('a-file', 'x');
    await expect(startTestServer(join(file, 'data'))).rejects.toThrow(/can't be used as the data directory/);
  });
});
