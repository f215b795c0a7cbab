import { decodeStoredNotice, topology } from '@meterflow/contracts';
import { BatchBuilder, rawVersion, ReadingRow, type StoredNotice } from '@meterflow/readings';
import { Activations, Reprocesses, seriesSettingsMsMax, type Role } from '@meterflow/registry';
import { flowOf } from '@meterflow/rules';
import { seriesRuleOf } from '@meterflow/rules/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { controlRig, type ControlRig } from '../testing/control-rig.ts';

const dayMs = 86_400_000;
const firstDay = Date.parse('2024-03-04') / dayMs;

let rig: ControlRig;
let url: string;
beforeAll(async () => {
  rig = await controlRig();
  for (const { topic, subscriptions } of topology(['bulk'])) {
    rig.platform.bus.declareTopic(topic);
    subscriptions.forEach((name) => {
      rig.platform.bus.declareSubscription({ name, topic, from: 'start' });
    });
  }
  url = await rig.server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await rig.server.close();
  await rig.close();
});

type Tenant = 'acme' | 'other';
async function ask(tenant: Tenant, path: string, change?: object): Promise<object> {
  const role: Role = path === '/v1/tenants' ? 'operator' : 'customer';
  const answer = await fetch(url + path, {
    method: change === undefined ? 'GET' : path === '/v1/tenants' ? 'POST' : 'PATCH',
    headers: { authorization: `Bearer ${rig.keys[tenant][role]}`, 'content-type': 'application/json' },
    ...(change === undefined ? {} : { body: JSON.stringify(change) }),
  });
  return { status: answer.status, ...((await answer.json()) as object) };
}

let written = 0;

/** A reading at noon of each of these days. */
async function store(tenant: Tenant, meter: string, days: readonly number[]): Promise<void> {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series(meter, 'import');
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(1, 0));
  row.lengthMs = 1_800_000;
  for (const day of days) {
    row.startMs = (firstDay + day) * dayMs + dayMs / 2;
    row.integer = 1;
    builder.append(row);
  }
  const key = String(++written).padStart(32, '0');
  const cause = { sourceId: 's', key, part: 0, parts: 1 };
  const header = { tenant, layer: 'validated', sourceId: 's', acceptedAtMs: 1, activation: 0, cause } as const;
  await rig.platform.readings('validated').write([{ key, batch: builder.finish(header) }]);
  await rig.platform.sources.accept({
    tenant,
    kind: 'file',
    identity: meter,
    contentHash: '0'.repeat(64),
    label: 'a.csv',
    mapping: 'plain@1',
    sourceVersion: 0,
    activation: 0,
    nowMs: 1,
    readingsPerBatch: 1_000,
    startsFromMs: 0,
    intervalLengths: '',
  });
}

/** What waits for aggregation. */
async function notices(): Promise<readonly StoredNotice[]> {
  const source = rig.platform.source('aggregation.bulk');
  const found: StoredNotice[] = [];
  const waits = rig.platform.bus.backlog().find(({ subscription }) => subscription === 'aggregation.bulk');
  for (let left = waits?.messages ?? 0; left > 0;) {
    const messages = await source.receive({
      messagesMax: left,
      bytesMax: 1e9,
      waitMs: 5_000,
      signal: AbortSignal.timeout(5_000),
    });
    found.push(...messages.map(({ payload }) => decodeStoredNotice(payload)));
    await source.ack(messages);
    left -= messages.length;
  }
  return found;
}

const utc = { timeZone: 'UTC', intervalMs: null, unit: null, decimals: 6 };

test('a tenant without readings is set at once, and takes back what it set', async () => {
  expect(await ask('other', '/v1/series-defaults')).toEqual({ status: 200, ...utc });
  const zurich = { timeZone: 'Europe/Zurich', intervalMs: 900_000 };
  expect(await ask('other', '/v1/series-defaults', zurich)).toEqual({
    status: 200,
    ...utc,
    ...zurich,
    recomputing: { series: 0, notices: 0 },
  });
  expect(await ask('other', '/v1/series-settings?meter=m%2F1')).toEqual({
    status: 200,
    ...utc,
    ...zurich,
    meter: 'm/1',
    channel: 'import',
  });
  await ask('other', '/v1/series-settings', { meter: 'm/1', timeZone: 'Asia/Tokyo', unit: 'Wh' });
  expect(await ask('other', '/v1/series-settings?meter=m%2F1')).toMatchObject({
    timeZone: 'Asia/Tokyo',
    unit: 'Wh',
    intervalMs: 900_000,
  });
  await ask('other', '/v1/series-settings', { meter: 'm/1', timeZone: null });
  expect(await ask('other', '/v1/series-settings?meter=m%2F1')).toMatchObject({ timeZone: 'Europe/Zurich' });
  // The other tenant sees nothing of it.
  expect(await ask('acme', '/v1/series-settings?meter=m%2F1')).toMatchObject(utc);
});

test('what is stored is aggregated anew: all of a tenant, or of one series, and of nobody else', async () => {
  await store('acme', 'm1', [0, 1, 2, 400]);
  await store('acme', 'm2', [1]);
  await store('other', 'm1', [0]);
  const all = await ask('acme', '/v1/series-defaults', { timeZone: 'Europe/Zurich' });
  expect(all).toMatchObject({ timeZone: 'Europe/Zurich', recomputing: { series: 2, notices: 1 } });
  const [notice, ...more] = await notices();
  expect(more).toEqual([]);
  expect(notice).toMatchObject({ tenant: 'acme', layer: 'validated', causes: [] });
  const { series, index, fromMs, toMs } = notice!.touched;
  const spans = Array.from(index, (at, row) => [
    series[at]?.meter,
    (fromMs[row] as number) / dayMs - firstDay,
    (toMs[row] as number) / dayMs - firstDay,
  ]);
  expect(spans).toEqual([
    ['m1', -1, 4],
    ['m1', 399, 402],
    ['m2', 0, 3],
  ]);
  const one = await ask('acme', '/v1/series-settings', { meter: 'm2', intervalMs: 1_800_000 });
  expect(one).toMatchObject({ recomputing: { series: 1, notices: 1 } });
  expect((await notices()).map(({ touched }) => touched.series.map(({ meter }) => meter))).toEqual([['m2']]);
  // Said once more, it is done once more: whoever was interrupted in between says it again.
  expect(await ask('acme', '/v1/series-defaults', { timeZone: 'Europe/Zurich' })).toMatchObject({
    recomputing: { series: 2 },
  });
  // What changes no day changes none.
  expect(await ask('acme', '/v1/series-defaults', { decimals: 3 })).not.toHaveProperty('recomputing');
});

test.each([
  { timeZone: 'Europe/Zurch' },
  { timeZone: '' },
  { intervalMs: 0 },
  { intervalMs: 1.5 },
  { unit: 'furlong' },
  { zone: 'UTC' },
])('%j is refused, by name', async (change) => {
  const [name] = Object.keys(change);
  for (const [path, more] of [
    ['/v1/series-defaults', {}],
    ['/v1/series-settings', { meter: 'm1' }],
  ] as const) {
    const refused = await ask('acme', path, { ...change, ...more });
    expect(refused).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(JSON.stringify(refused)).toContain(name);
  }
  const created = await ask('acme', '/v1/tenants', { name: 'new', series: change });
  expect(created).toMatchObject({ status: 400 });
});

test('a tenant is made with its zone', async () => {
  const made = await ask('acme', '/v1/tenants', { name: 'zoned', series: { timeZone: 'Asia/Tokyo' } });
  expect(made).toMatchObject({ status: 201, name: 'zoned' });
  const settings = await rig.platform.registry.get('setting', 'zoned/series-default');
  expect(settings?.value).toEqual({ timeZone: 'Asia/Tokyo' });
});

test('what rules see of whole days is computed anew under other settings, where such a rule was ever active', async () => {
  const reprocesses = new Reprocesses({ registry: rig.platform.registry, nowMs: () => 0 });
  expect(await ask('acme', '/v1/series-settings', { meter: 'm9', tags: { dials: 5 } })).not.toHaveProperty('reprocess');
  const activations = new Activations({ registry: rig.platform.registry, nowMs: () => 0, activationLeaseMs: 0 });
  const flow = { ...flowOf('x', []), steps: [{ rule: seriesRuleOf(''), parameters: {}, channels: 'import' }] };
  await activations.create('acme', { flow, decimals: 3, fromMs: 0, toMs: 1e14 });
  const one = await ask('acme', '/v1/series-settings', { meter: 'm9', tags: { dials: 6 } });
  expect(one).toMatchObject({ status: 200, reprocess: expect.stringMatching(/^settings-/) as string });
  expect(await ask('acme', '/v1/series-settings', { meter: 'm9', since: '2024-03-01T00:00:00Z' })).toHaveProperty(
    'reprocess',
  );
  expect(await ask('acme', '/v1/series-settings', { meter: 'm9', decimals: 2 })).not.toHaveProperty('reprocess');
  expect(await ask('acme', '/v1/series-defaults', { unit: 'kWh' })).toHaveProperty('reprocess');
  const asked = await reprocesses.list('acme', 10);
  const series = { meter: 'm9', channel: 'import' };
  expect(asked.map((each) => each.series)).toEqual([undefined, series, series]);
  expect(asked.every(({ createdAtMs, notBeforeMs }) => notBeforeMs >= createdAtMs + seriesSettingsMsMax)).toBe(true);
  expect(await reprocesses.list('other', 10)).toEqual([]);
});
