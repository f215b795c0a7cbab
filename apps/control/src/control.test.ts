import { AggregateBatchBuilder, AggregateRow, wholeWindow, type SheetLevel } from '@meterflow/aggregates';
import { describeAdmission } from '@meterflow/http/testing';
import { BatchBuilder, missingCode, rawVersion, ReadingRow, type Layer } from '@meterflow/readings';
import type { AcceptanceRequest } from '@meterflow/receipts';
import { DueRecomputes, type Role } from '@meterflow/registry';
import type { DeadLetter } from '@meterflow/stage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { controlRoutes } from './control.ts';
import type { ControlPorts } from './ports.ts';
import { controlRig, type ControlRig } from './testing/control-rig.ts';

const halfHourMs = 1_800_000;
const hourMs = 2 * halfHourMs;
const startMs = Date.UTC(2013, 0, 1);
const cause = { sourceId: 'a.1', key: '0'.repeat(32), part: 0, parts: 1 };

describeAdmission('the control API', {
  // The catalogue does not depend on what stands behind it.
  routes: controlRoutes({} as ControlPorts),
  make: async () => {
    const rig = await controlRig();
    return { server: rig.server, keys: rig.keys.acme, close: () => rig.close() };
  },
});

/** Of another meter another message. */
function keyOf(meter: string): string {
  return Buffer.from(meter).toString('hex').padEnd(32, '1');
}

/** Readings half an hour apart; undefined is an absent one. */
async function store(
  rig: ControlRig,
  {
    layer,
    values,
    meter = 'm 1/a',
  }: {
    readonly layer: Layer;
    readonly values: readonly (readonly [integer: number, decimals: number] | undefined)[];
    readonly meter?: string;
  },
) {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series(meter, 'import');
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(7, 0));
  row.lengthMs = halfHourMs;
  values.forEach((value, index) => {
    row.startMs = startMs + index * halfHourMs;
    row.quality = value === undefined ? missingCode : 0;
    [row.integer, row.decimals] = value ?? [0, 0];
    row.reason = value === undefined ? builder.text('withdrawn') : 0;
    builder.append(row);
  });
  const header = { tenant: 'acme', layer, sourceId: 'a.1', acceptedAtMs: startMs, activation: 0 };
  const batch = builder.finish(layer === 'raw' ? header : { ...header, cause });
  await rig.platform.readings(layer).write([{ key: layer === 'raw' ? cause.key : keyOf(meter), batch }]);
}

async function storeSheet(rig: ControlRig, level: SheetLevel, days: number) {
  const builder = new AggregateBatchBuilder();
  const row = new AggregateRow();
  builder.begin({
    series: builder.series('m 1/a', 'import'),
    startMs,
    endMs: startMs + days * 24 * hourMs,
    unit: builder.text('kWh'),
    decimals: 2,
  });
  for (const hour of level === 'day' ? [0, 1, 23, wholeWindow] : [wholeWindow]) {
    Object.assign(row, { hour, sumLow: 68 + hour, min: 10, max: 58, count: 3 });
    builder.append(row);
  }
  const batch = builder.finish({ tenant: 'acme', level, ticket: 1, causes: [cause] });
  await rig.platform.aggregates.write([{ key: level === 'day' ? '2'.repeat(32) : '3'.repeat(32), batch }]);
}

const letter: DeadLetter = {
  id: 'persistence/acme/00ff',
  state: 'dead',
  stage: 'persistence',
  subscription: 'persistence-raw.live',
  key: 'acme/00ff',
  tenant: 'acme',
  reasonCode: 'corrupt',
  reason: 'not a batch',
  payload: Uint8Array.of(1, 2, 3),
  attributes: { tenant: 'acme' },
  atMs: startMs,
  causes: [cause],
  layers: ['raw'],
};

const acceptance: AcceptanceRequest = {
  tenant: 'acme',
  kind: 'file',
  identity: 'x',
  contentHash: '0'.repeat(64),
  label: 'a.csv',
  mapping: 'plain@1',
  sourceVersion: 0,
  activation: 0,
  nowMs: startMs,
  readingsPerBatch: 1_000,
  startsFromMs: 0,
  intervalLengths: '',
};

describe('the control API', () => {
  let rig: ControlRig;
  let url: string;
  beforeAll(async () => {
    rig = await controlRig();
    url = await rig.server.listen({ host: '127.0.0.1', port: 0 });
    await store(rig, { layer: 'raw', values: [[68, 2], [1_000_001, 6], undefined, [5, 0]] });
    await store(rig, { layer: 'validated', values: [[680, 0], [1_000_001, 3], undefined, [5_000, 0]] });
    await storeSheet(rig, 'day', 1);
    await storeSheet(rig, 'month', 31);
    await rig.platform.deadLetters.put([letter, { ...letter, id: 'persistence/acme/00fe', atMs: startMs + 1 }]);
  });
  afterAll(async () => {
    await rig.server.close();
    await rig.close();
  });

  type Who = [tenant: 'acme' | 'other', role: Role];
  const call = (who: Who, path: string, init: { method?: string; json?: unknown } = {}): Promise<Response> =>
    fetch(url + path, {
      method: init.method ?? 'GET',
      headers: {
        authorization: `Bearer ${rig.keys[who[0]][who[1]]}`,
        ...(init.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(init.json === undefined ? {} : { body: JSON.stringify(init.json) }),
    });
  const get = async <Answer>(who: Who, path: string): Promise<Answer> =>
    (await call(who, path)).json() as Promise<Answer>;
  const customer: Who = ['acme', 'customer'];
  const operator: Who = ['acme', 'operator'];
  const series = 'meter=m%201/a&channel=import&from=2013-01-01&to=2013-02-01';

  describe('readings', () => {
    test('are written as exact decimal numbers, instants as UTC', async () => {
      const text = await (await call(customer, `/v1/readings?${series}&raw=true&limit=2`)).text();
      expect(text).toBe(
        '{"layer":"raw","readings":[' +
          '{"meter":"m 1/a","channel":"import","start":"2013-01-01T00:00:00Z","end":"2013-01-01T00:30:00Z","value":0.68,"unit":"kWh","quality":"measured","version":7},' +
          '{"meter":"m 1/a","channel":"import","start":"2013-01-01T00:30:00Z","end":"2013-01-01T01:00:00Z","value":1.000001,"unit":"kWh","quality":"measured","version":7}' +
          '],"next":"1357000200000.1800000"}',
      );
    });

    test('come page by page to the last, absent ones too', async () => {
      interface Answer {
        readings: { value: number | null; reason?: string }[];
        next?: string;
      }
      const values: (number | null)[] = [];
      let after = '';
      for (let pages = 1; pages <= 4; pages++) {
        const page = await get<Answer>(customer, `/v1/readings?${series}&limit=1${after}`);
        values.push(...page.readings.map(({ value }) => value));
        expect(page.next === undefined).toBe(pages === 4);
        after = `&after=${page.next ?? ''}`;
      }
      expect(values).toEqual([680, 1000.001, null, 5000]);
    });

    test('begin and end where they are asked to', async () => {
      const query = 'meter=m%201/a&channel=import&from=2013-01-01T01:30:00%2B01:00&to=2013-01-01T01:30:00Z';
      const { readings } = await get<{ readings: { start: string }[] }>(customer, `/v1/readings?${query}`);
      expect(readings.map(({ start }) => start)).toEqual(['2013-01-01T00:30:00Z', '2013-01-01T01:00:00Z']);
    });

    test('of another tenant are not there', async () => {
      expect(await get(['other', 'customer'], `/v1/readings?${series}`)).toEqual({ layer: 'validated', readings: [] });
      expect((await call(['other', 'customer'], `/v1/readings?${series}&tenant=acme`)).status).toBe(400);
    });

    test.each([
      'meter=m&channel=c&from=2013-01-01',
      'meter=m&channel=c&from=2013-01-02&to=2013-01-01',
      'meter=m&channel=c&from=1900-01-01&to=2100-01-01',
      'meter=m&channel=c&from=2013-13-01&to=2014-01-01',
      'meter=m&channel=c&from=yesterday&to=2014-01-01',
      'meter=m&channel=c&from=2013-01-01T00:00&to=2014-01-01',
      'meter=m&channel=c&from=2013-01-01&to=2014-01-01&limit=0',
      'meter=m&channel=c&from=2013-01-01&to=2014-01-01&after=x',
      'meter=m&meter=n&channel=c&from=2013-01-01&to=2014-01-01',
    ])('are refused for %s', async (query) => {
      const answer = await call(customer, `/v1/readings?${query}`);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, 'invalid-request']);
    });
  });

  test('tells which intervals that are due have no reading, day by day', async () => {
    const path = '/v1/missing?meter=m%201%2Fa&channel=import&from=2013-01-01&to=2013-01-02';
    const { days } = await get<{ days: { missing: number; gaps: object[] }[] }>(customer, path);
    expect(days).toMatchObject([{ start: '2013-01-01T00:00:00Z', end: '2013-01-02T00:00:00Z', missing: 45 }]);
    expect(days[0]?.gaps).toEqual([
      { from: '2013-01-01T01:00:00Z', to: '2013-01-01T01:30:00Z', count: 1 },
      { from: '2013-01-01T02:00:00Z', to: '2013-01-02T00:00:00Z', count: 44 },
    ]);
    expect(await get(['other', 'customer'], path)).toEqual({ meter: 'm 1/a', channel: 'import', days: [] });
  });

  describe('aggregates', () => {
    const starts = async (query: string) =>
      (await get<{ aggregates: { start: string }[] }>(customer, `/v1/aggregates?${query}`)).aggregates.map(
        ({ start }) => start,
      );

    test('are exact, with their mean', async () => {
      expect(await (await call(customer, `/v1/aggregates?${series}&resolution=day`)).text()).toBe(
        '{"aggregates":[{"meter":"m 1/a","channel":"import","resolution":"day","start":"2013-01-01T00:00:00Z",' +
          '"end":"2013-01-02T00:00:00Z","sum":3.23,"min":0.1,"max":0.58,"mean":1.076666667,"count":3,"unit":"kWh",' +
          '"quality":"measured","inputs":{"ticket":1},"state":"final"}]}',
      );
    });

    test('are those of the resolution', async () => {
      expect(await starts(`${series}&resolution=hour`)).toEqual([
        '2013-01-01T00:00:00Z',
        '2013-01-01T01:00:00Z',
        '2013-01-01T23:00:00Z',
      ]);
      expect(await starts(`${series}&resolution=month`)).toEqual(['2013-01-01T00:00:00Z']);
    });

    test('are explained where all was withdrawn, and not where nothing is summed yet', async () => {
      await store(rig, { layer: 'validated', meter: 'gone', values: [undefined, undefined] });
      await store(rig, { layer: 'validated', meter: 'waits', values: [[68, 2], undefined] });
      const explain = (meter: string): Promise<Response> =>
        call(customer, `/v1/explain?meter=${meter}&channel=import&at=2013-01-01T00:40:00Z&resolution=hour`);
      expect(await (await explain('gone')).json()).toMatchObject({ start: '2013-01-01T00:00:00Z', aggregate: null });
      expect((await explain('waits')).status).toBe(404);
    });

    test('of hours are found in the middle of their day, page by page', async () => {
      const query = 'meter=m%201/a&channel=import&from=2013-01-01T01:00:00Z&to=2013-01-02&resolution=hour';
      expect(await starts(query)).toEqual(['2013-01-01T01:00:00Z', '2013-01-01T23:00:00Z']);
      const page = await get<{ next: string }>(customer, `/v1/aggregates?${query}&limit=1`);
      expect(await starts(`${query}&limit=1&after=${page.next}`)).toEqual(['2013-01-01T23:00:00Z']);
    });

    test('of another tenant are not there', async () => {
      expect(await get(['other', 'operator'], `/v1/aggregates?${series}`)).toEqual({ aggregates: [] });
    });
  });

  describe('sources', () => {
    test('have a receipt and all their rejects, for their own tenant alone', async () => {
      const { sources } = rig.platform;
      const { sourceId } = await sources.accept(acceptance);
      const reject = { column: 'value', code: 'invalid-value', reason: 'no number', text: 'a;b' };
      await sources.reject(sourceId, [
        { ...reject, line: 2 },
        { ...reject, line: 5 },
      ]);
      await sources.close(sourceId, { batches: 0, received: 2, accepted: 0, rejected: 2, atMs: startMs });
      const provider: Who = ['acme', 'provider'];
      const path = `/v1/sources/${sourceId}`;
      expect(await get(provider, path)).toMatchObject({ sourceId, state: 'complete', received: 2, rejected: 2 });
      expect(await get(provider, '/v1/sources')).toMatchObject({ sources: [{ sourceId }] });
      expect(await get(provider, `${path}/rejects?limit=1`)).toEqual({
        rejects: [{ ...reject, line: 2 }],
        nextAfterLine: 2,
      });
      expect(await get(provider, `${path}/rejects?afterLine=2`)).toEqual({ rejects: [{ ...reject, line: 5 }] });
      const remark = { line: 7, column: '', code: 'gap', reason: '1 reading is missing', text: 'm,c' };
      await sources.remark(sourceId, [remark]);
      expect(await get(provider, `${path}/remarks`)).toEqual({ remarks: [remark] });
      for (const foreign of [path, `${path}/rejects`, `${path}/remarks`]) {
        expect((await call(['other', 'provider'], foreign)).status).toBe(404);
      }
      expect(await get(['other', 'provider'], '/v1/sources')).toEqual({ sources: [] });
    });

    test('can be waited for: until they are complete, or the time is over', async () => {
      const { sources } = rig.platform;
      const { sourceId } = await sources.accept({ ...acceptance, identity: 'waiting' });
      expect(await get(operator, `/v1/sources/${sourceId}?waitSeconds=0.1`)).toMatchObject({ state: 'receiving' });
      const answer = get(operator, `/v1/sources/${sourceId}?waitSeconds=30`);
      await sources.close(sourceId, { batches: 0, received: 0, accepted: 0, rejected: 0, atMs: startMs });
      expect(await answer).toMatchObject({ state: 'complete' });
    });
  });

  describe('dead letters', () => {
    test('are listed newest first, page by page, and filtered', async () => {
      interface Answer {
        deadLetters: { id: string }[];
        next?: string;
      }
      const first = await get<Answer>(operator, '/v1/dead-letters?limit=1');
      const second = await get<Answer>(
        operator,
        `/v1/dead-letters?limit=1&before=${encodeURIComponent(first.next ?? '')}`,
      );
      expect([...first.deadLetters, ...second.deadLetters].map(({ id }) => id)).toEqual([
        'persistence/acme/00fe',
        'persistence/acme/00ff',
      ]);
      expect(await get(operator, '/v1/dead-letters?reasonCode=other')).toEqual({ deadLetters: [] });
    });

    test('are shown with their bytes, retried and purged', async () => {
      const path = `/v1/dead-letters/${encodeURIComponent(letter.id)}`;
      rig.platform.bus.declareSubscription({ name: letter.subscription, topic: 'readings.accepted.live', from: 'now' });
      expect(await get(operator, path)).toMatchObject({
        id: letter.id,
        payload: 'AQID',
        causes: [cause],
        layers: ['raw'],
      });
      const command = async (name: 'retry' | 'purge') =>
        (await call(operator, `/v1/dead-letters/${name}`, { method: 'POST', json: { ids: [letter.id] } })).json();
      expect(await command('retry')).toEqual({ retried: [letter.id] });
      expect(await command('retry')).toEqual({ retried: [] });
      expect((await call(operator, path)).status).toBe(404);
      const source = rig.platform.source(letter.subscription);
      const { signal } = new AbortController();
      const [sentAgain] = await source.receive({ messagesMax: 1, bytesMax: 100, waitMs: 0, signal });
      expect(sentAgain).toMatchObject({ attributes: letter.attributes });
      expect([...(sentAgain?.payload ?? [])]).toEqual([...letter.payload]);
      await rig.platform.deadLetters.put([letter]);
      expect(await command('purge')).toEqual({ purged: [letter.id] });
      expect(await command('purge')).toEqual({ purged: [] });
      expect((await call(operator, path)).status).toBe(404);
    });
  });

  test('the status says what waits, how long, and what is dead', async () => {
    const status = await get<{ backlogAgeSeconds: number }>(operator, '/v1/status');
    expect(status).toMatchObject({ idle: false, backlogMessages: 3, deadLetters: { dead: 1, parked: 0, purged: 1 } });
    expect(status.backlogAgeSeconds).toBeGreaterThanOrEqual(5);
  });

  describe('tenants and keys', () => {
    const post = (path: string, json: unknown, method = 'POST') => call(operator, path, { method, json });

    test('are made, changed and listed', async () => {
      expect((await post('/v1/tenants', { name: 'new', quotas: { requestsPerMinute: 9 } })).status).toBe(201);
      expect((await post('/v1/tenants', { name: 'new' })).status).toBe(409);
      expect((await post('/v1/tenants', { name: 'No' })).status).toBe(400);
      expect((await post('/v1/tenants/new', { quotas: { bytesPerRequest: 5 } }, 'PATCH')).status).toBe(200);
      expect(await get(operator, '/v1/tenants/new')).toMatchObject({
        quotas: { requestsPerMinute: 9, bytesPerRequest: 5 },
      });
      const { tenants } = await get<{ tenants: { name: string }[] }>(operator, '/v1/tenants');
      expect(tenants.map(({ name }) => name)).toEqual(['acme', 'new', 'other']);
      expect((await post('/v1/tenants/nobody', { quotas: {} }, 'PATCH')).status).toBe(404);
    });

    test('a key works from its making to its revoking, through its rotation', async () => {
      const works = async (key: string) =>
        (await fetch(`${url}/v1/sources`, { headers: { authorization: `Bearer ${key}` } })).status;
      const made = (await (await post('/v1/keys', { tenant: 'other', role: 'provider', label: 'x' })).json()) as {
        id: string;
        key: string;
      };
      expect(await works(made.key)).toBe(200);
      const rotated = (await (
        await post(`/v1/keys/${made.id}/rotate`, { tenant: 'other', overlapSeconds: 0 })
      ).json()) as { key: string };
      expect([await works(made.key), await works(rotated.key)]).toEqual([401, 200]);
      expect((await call(operator, `/v1/keys/${made.id}`, { method: 'DELETE' })).status).toBe(404);
      expect((await call(operator, `/v1/keys/${made.id}?tenant=other`, { method: 'DELETE' })).status).toBe(200);
      expect(await works(rotated.key)).toBe(401);
      const listed = await (await call(operator, '/v1/keys?tenant=other')).text();
      expect(listed).toContain(made.id);
      expect(listed).not.toContain('mf_');
      expect((await post('/v1/keys', { tenant: 'nobody', role: 'provider' })).status).toBe(404);
    });
  });

  describe('erasures', () => {
    const erase = (key: Parameters<typeof call>[0], json: unknown) =>
      call(key, '/v1/erasures', { method: 'POST', json });

    test('are of what is named, never of everything by accident', async () => {
      const nobody = { channel: 'import' };
      for (const json of [{}, nobody, { everything: false }, { everything: true, meter: 'm' }, { meter: '' }]) {
        expect((await erase(operator, json)).status).toBe(400);
      }
      expect((await erase(['acme', 'customer'], { everything: true })).status).toBe(403);
    });

    test('erase the own tenant alone, and prove it', async () => {
      const path = '/v1/readings?meter=m%201%2Fa&channel=import&from=2013-01-01&to=2013-01-02';
      const before = await get<{ readings: object[] }>(operator, path);
      expect(before.readings.length).toBeGreaterThan(0);
      expect(await (await erase(['other', 'operator'], { everything: true })).json()).toMatchObject({
        tenant: 'other',
        clean: true,
        erased: { validated: { rows: 0 } },
      });
      expect(await get(operator, path)).toEqual(before);
      const proof = (await (await erase(operator, { meter: 'm 1/a' })).json()) as { id: string; upTo: string };
      expect(proof).toMatchObject({ tenant: 'acme', meter: 'm 1/a', clean: true, found: { raw: { rows: 0 } } });
      expect(await get(operator, path)).toMatchObject({ readings: [] });
      expect(await get(operator, '/v1/erasures')).toEqual({
        erasures: [{ id: proof.id, tenant: 'acme', meter: 'm 1/a', upTo: proof.upTo }],
      });
      expect(await get(['other', 'operator'], '/v1/erasures')).toMatchObject({ erasures: [{ tenant: 'other' }] });
    });

    test('of a member of groups have their sums computed anew', async () => {
      const topic = 'readings.stored.validated.bulk';
      const subscription = 'of-the-test';
      rig.platform.bus.declareTopic(topic);
      rig.platform.bus.declareSubscription({ topic, name: subscription, from: 'now' });
      const street = { channel: 'import', timeZone: 'UTC', intervalMs: halfHourMs, source: { kind: 'members' } };
      expect((await call(operator, '/v1/groups/street', { method: 'PUT', json: street })).status).toBe(200);
      await store(rig, { layer: 'validated', values: [[680, 0]], meter: 'm 2' });
      const waiting = () => rig.platform.bus.backlog().find((each) => each.subscription === subscription)?.messages;
      const before = waiting() ?? 0;
      expect((await erase(operator, { meter: 'm 2' })).status).toBe(201);
      expect(waiting()).toBe(before + 1);
      const { registry } = rig.platform;
      expect(await new DueRecomputes({ registry, nowMs: Date.now, newId: () => '' }).list()).toEqual([]);
    });
  });

  test('the document names every route', async () => {
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> };
    for (const { method, path } of rig.server.routes) {
      expect(Object.keys(paths[path] ?? {})).toContain(method.toLowerCase());
    }
  });
});
