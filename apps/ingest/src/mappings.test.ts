import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { csvHeader, csvLines, IngestStand, push } from './testing/ingest-stand.ts';

let stand: IngestStand;
let tenant: string;
let key: string;
let tenants = 0;

beforeAll(async () => {
  stand = await IngestStand.open();
});
beforeEach(async () => {
  tenants += 1;
  tenant = `acme-${tenants}`;
  key = await stand.key(tenant);
  stand.published.length = 0;
  stand.beforePublish = () => undefined;
});
afterAll(() => stand.close());

interface Answer {
  readonly status: number;
  readonly json: {
    readonly version: string;
    readonly builtIn: boolean;
    readonly mapping: { readonly name: string; readonly onBadLine: string };
    readonly mappings: readonly { readonly name: string; readonly builtIn: boolean }[];
    readonly errors: readonly { readonly at: string; readonly problem: string }[];
    readonly code: string;
    readonly title: string;
  };
}

async function call(
  method: string,
  path: string,
  options: { body?: string; type?: string; as?: string } = {},
): Promise<Answer> {
  const { body, type = 'application/yaml', as = key } = options;
  const answer = await fetch(stand.url + path, {
    method,
    headers: { authorization: `Bearer ${as}`, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  return { status: answer.status, json: (text === '' ? {} : JSON.parse(text)) as Answer['json'] };
}

const yaml = `
# A provider in Berlin.
description: quarter hours, by their end
delimiter: ;
meter: { column: Zaehlpunkt }
channel: { constant: import }
time:
  column: Zeit
  format: DD.MM.YYYY HH:mm
  zone: Europe/Berlin
  label: end
interval: { length: 15m }
value: { column: Wert, decimalMark: "," }
unit: { constant: kWh }
`;
const source = 'Zaehlpunkt;Zeit;Wert\nDE1;01.07.2024 00:15;1,5\nDE1;01.07.2024 00:30;kaputt\n';
const json = JSON.stringify({
  meter: { column: 1 },
  channel: { constant: 'a' },
  time: { column: 2 },
  value: { column: 3 },
  unit: { constant: 'Wh' },
});

describe('a mapping', () => {
  test('is put, shown, listed and removed, and has a version that is its content', async () => {
    const put = await call('PUT', '/v1/mappings/berlin', { body: yaml });
    expect(put.status).toBe(201);
    expect(put.json.mapping).toMatchObject({ name: 'berlin', onBadLine: 'skip' });
    const again = await call('PUT', '/v1/mappings/berlin', { body: `${yaml}\n# the same\n` });
    expect([again.status, again.json.version]).toEqual([200, put.json.version]);
    const other = await call('PUT', '/v1/mappings/berlin', { body: yaml.replace('15m', '30m') });
    expect(other.json.version).not.toBe(put.json.version);
    expect((await call('GET', '/v1/mappings/berlin')).json).toEqual(other.json);
    const { mappings } = (await call('GET', '/v1/mappings')).json;
    expect(mappings.map(({ name, builtIn }) => `${name} ${builtIn}`)).toEqual([
      'berlin false',
      'default true',
      'london true',
    ]);
    expect((await call('DELETE', '/v1/mappings/berlin')).status).toBe(204);
    expect((await call('GET', '/v1/mappings/berlin')).status).toBe(404);
    expect((await call('DELETE', '/v1/mappings/berlin')).status).toBe(404);
    expect((await call('PUT', '/v1/mappings/berlin', { body: yaml })).json.version).toBe(put.json.version);
  });

  test('may be JSON', async () => {
    expect((await call('PUT', '/v1/mappings/plain', { body: json, type: 'application/json' })).status).toBe(201);
    const broken = await call('PUT', '/v1/mappings/plain', { body: `${json},`, type: 'application/json' });
    expect([broken.status, broken.json.code]).toEqual([400, 'invalid-json']);
  });

  test('that is not valid is refused, each problem with its place', async () => {
    const body = yaml
      .replace('Europe/Berlin', 'Mars/Olympus')
      .replace('15m', '7 minutes')
      .replace('description', 'remark');
    const { status, json: problem } = await call('PUT', '/v1/mappings/berlin', { body });
    expect(status).toBe(422);
    expect(problem.errors).toEqual([
      { at: 'line 10, column 3: time.zone', problem: 'is not an IANA time zone' },
      { at: 'line 12, column 13: interval.length', problem: expect.stringContaining('30m') as string },
      { at: 'line 3, column 1: remark', problem: 'is not a property of a mapping' },
    ]);
  });

  test.each([
    ['is no YAML', 'meter: [1', 'line 1'],
    ['is a list', '- 1', 'line 1, column 1: mapping'],
    ['has a key twice', `${yaml}unit: { constant: Wh }\n`, 'line 15'],
    ['has another name', `name: paris${yaml}`, 'line 1, column 1: name'],
    ['is a bomb of aliases', bomb(), 'mapping'],
    ['has a unit that is none', yaml.replace('kWh', 'parsec'), 'unit.constant'],
  ])('that %s is refused', async (_, body, place) => {
    const { status, json: problem } = await call('PUT', '/v1/mappings/berlin', { body });
    expect(status).toBe(422);
    expect(problem.errors[0]?.at).toContain(place);
  });

  test('of another tenant is not there, and can not be changed', async () => {
    await call('PUT', '/v1/mappings/berlin', { body: yaml });
    const as = await stand.key(`other-${tenant}`);
    expect((await call('GET', '/v1/mappings/berlin', { as })).status).toBe(404);
    expect((await call('DELETE', '/v1/mappings/berlin', { as })).status).toBe(404);
    expect((await call('GET', '/v1/mappings', { as })).json.mappings.every(({ builtIn }) => builtIn)).toBe(true);
    expect((await call('PUT', '/v1/mappings/berlin', { as, body: json })).status).toBe(201);
    expect((await call('GET', '/v1/mappings/berlin')).json.mapping).toMatchObject({ delimiter: ';' });
    expect((await push(stand, as, { body: source, query: '?mapping=berlin' })).status).toBe(422);
  });

  test.each(['default', 'london', 'schema'])('of the name %s, which is built in, can not be changed', async (name) => {
    expect((await call('PUT', `/v1/mappings/${name}`, { body: yaml })).status).toBe(400);
    expect((await call('DELETE', `/v1/mappings/${name}`)).status).toBe(400);
  });

  test('has a JSON Schema for editors', async () => {
    const { status, json: schema } = await call('GET', '/v1/mappings/schema');
    expect([status, schema.title]).toEqual([200, 'meterflow mapping']);
  });
});

describe('a source under a mapping', () => {
  test('named or chosen by its header is read as it says, and says so in its acceptance', async () => {
    const { version } = (await call('PUT', '/v1/mappings/berlin', { body: yaml })).json;
    for (const query of ['', '?mapping=berlin']) {
      const { json: receipt } = await push(stand, key, { body: source, query });
      expect(receipt).toMatchObject({ accepted: 1, rejected: 1, rejects: [{ line: 3, column: 'Wert' }] });
    }
    expect(stand.readings).toEqual(Array(2).fill('2 DE1 import 2024-06-30T22:00:00Z/15m 1.5 kWh 0 0'));
    const { acceptance } = await stand.platform.sources.accept({
      ...{ tenant, kind: 'request', identity: 'x', contentHash: '', label: '', sourceVersion: 0 },
      ...{
        mapping: `berlin@${version}`,
        activation: 0,
        nowMs: 0,
        readingsPerBatch: 1,
        startsFromMs: 0,
        intervalLengths: '',
      },
    });
    expect(acceptance.mapping).toBe(`berlin@${version}`);
  });

  test('that says reject-source is taken whole or not at all', async () => {
    await call('PUT', '/v1/mappings/strict', { body: `${yaml}onBadLine: reject-source\n` });
    const bad = await push(stand, key, { body: source, query: '?mapping=strict' });
    expect([bad.status, bad.json.code]).toEqual([422, 'unprocessable-content']);
    expect(bad.json.errors.map(({ at }) => at)).toEqual(['body', 'line 3, Wert']);
    expect(stand.published).toEqual([]);
    const good = await push(stand, key, { body: source.replace('kaputt', '2'), query: '?mapping=strict' });
    expect(good.json).toMatchObject({ accepted: 2, rejected: 0 });
  });

  test('that was changed meanwhile is resumed under the mapping that it was begun under', async () => {
    await call('PUT', '/v1/mappings/berlin', { body: yaml });
    const headers = { 'idempotency-key': 'k' };
    stand.beforePublish = () => {
      throw new Error('killed');
    };
    expect((await push(stand, key, { body: source, query: '?mapping=berlin', headers })).status).toBe(500);
    stand.beforePublish = () => undefined;
    await call('PUT', '/v1/mappings/berlin', { body: yaml.replace('15m', '30m') });
    expect((await push(stand, key, { body: source, query: '?mapping=berlin', headers })).json.accepted).toBe(1);
    expect(stand.readings).toEqual(['2 DE1 import 2024-06-30T22:00:00Z/15m 1.5 kWh 0 0']);
  });

  test('that was removed meanwhile is not resumed under another', async () => {
    await call('PUT', '/v1/mappings/berlin', { body: yaml });
    const headers = { 'idempotency-key': 'k' };
    stand.beforePublish = () => {
      throw new Error('killed');
    };
    await push(stand, key, { body: source, headers });
    await call('DELETE', '/v1/mappings/berlin');
    const { status, json: problem } = await push(stand, key, { body: source, headers });
    expect([status, problem.code]).toEqual([409, 'conflict']);
  });

  test('the London files are known by their header', async () => {
    const body = 'LCLid,stdorToU,DateTime,KWH/hh (per half hour) \nMAC1,Std,2013-01-01 00:30:00.0000000,0.2\n';
    expect((await push(stand, key, { body })).json).toMatchObject({ accepted: 1 });
    expect(stand.readings).toEqual(['2 MAC1 import 2013-01-01T00:30:00Z/30m 0.2 kWh 0 0']);
  });

  test('registered lengths go before what is deduced', async () => {
    const body = `${csvHeader.replace('end,', '')}${csvLines(1).replace(/,[^,]*Z,([^,]*),kWh/, ',$1,kWh')}`;
    expect((await push(stand, key, { body })).json).toMatchObject({ accepted: 1 });
    expect(stand.readings[0]).toContain('/15m');
  });
});

/** Ten aliases of ten aliases of ten …. */
function bomb(): string {
  const levels = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (const [name, inner] of ['ba', 'cb', 'dc', 'ed', 'fe'].map((pair) => [pair[0], pair[1]])) {
    levels.push(`${name}: &${name} [${Array(10).fill(`*${inner}`).join(', ')}]`);
  }
  return levels.join('\n');
}
