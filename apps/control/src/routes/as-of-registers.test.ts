import { BatchBuilder, rawVersion, ReadingRow } from '@meterflow/readings';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { controlRig, type ControlRig } from '../testing/control-rig.ts';

const hourMs = 3_600_000;
/** Friday to Sunday; on the last of them clocks in Zurich go forward. */
const startMs = Date.parse('2024-03-29T00:00:00+01:00');
const firstMs = Date.UTC(2024, 3, 1);
const secondMs = Date.UTC(2024, 3, 3);
const tariff = {
  periods: [
    {
      from: '2024-01-01',
      weekday: { '00:00': 'night', '06:00': 'day', '22:00': 'night' },
      weekend: { '00:00': 'night' },
    },
  ],
};

let rig: ControlRig;
let url: string;
let writes = 0;
beforeAll(async () => {
  rig = await controlRig();
  url = await rig.server.listen({ host: '127.0.0.1', port: 0 });
  // An hour of each is 1; on the third the hour from 12:00 of Friday becomes 5.
  await accept(
    firstMs,
    Array.from({ length: 71 }, (_, hour) => ({ hour, value: 1 })),
  );
  await accept(secondMs, [{ hour: 12, value: 5 }]);
  await change('PUT', '/v1/calendars/tariff', tariff);
  await change('PUT', '/v1/calendars/gas-day', { dayStartsAt: '06:00' });
  await change('PATCH', '/v1/series-settings', {
    ...{ meter: 'm', timeZone: 'Europe/Zurich', calendars: ['tariff', 'gas-day'] },
  });
});
afterAll(async () => {
  await rig.server.close();
  await rig.close();
});

async function accept(acceptedAtMs: number, hours: readonly { hour: number; value: number }[]): Promise<void> {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(0, acceptedAtMs));
  // What each hour brought, and what the counter shows at its beginning.
  for (const [channel, lengthMs] of [
    ['import', hourMs],
    ['counter', 0],
  ] as const) {
    row.series = builder.series('m', channel);
    row.lengthMs = lengthMs;
    for (const { hour, value } of hours) {
      row.startMs = startMs + hour * hourMs;
      row.integer = value;
      builder.append(row);
    }
  }
  writes += 1;
  const key = String(writes).repeat(32).slice(0, 32);
  const cause = { sourceId: `s.${writes}`, key, part: 0, parts: 1 };
  const header = { tenant: 'acme', layer: 'validated', sourceId: cause.sourceId, acceptedAtMs, activation: 0 } as const;
  await rig.platform.readings('validated').write([{ key, batch: builder.finish({ ...header, cause }) }]);
}

async function change(method: string, path: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${rig.keys.acme.customer}`, 'content-type': 'application/json' };
  const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
}

async function ask(
  path: string,
  query: Record<string, string>,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const asked = new URLSearchParams({ meter: 'm', from: '2023-12-31', to: '2024-12-31', ...query });
  const headers = { authorization: `Bearer ${rig.keys.acme.customer}` };
  const answer = await fetch(`${url}${path}?${asked.toString()}`, { headers });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}

async function sums(query: Record<string, string>): Promise<unknown[]> {
  const { json } = await ask('/v1/aggregates', { asOf: '2024-04-02T00:00:00Z', ...query });
  return (json['aggregates'] as Record<string, unknown>[]).map(({ sum, count }) => [sum, count]);
}

test('registers are told as they were known, by day, month and year', async () => {
  expect(await sums({ channel: 'import@tariff.day' })).toEqual([[16, 16]]);
  expect(await sums({ channel: 'import@tariff.day', asOf: '2024-04-03T00:00:00Z' })).toEqual([[20, 16]]);
  expect(await sums({ channel: 'import@tariff.day', asOf: '2024-03-31T00:00:00Z' })).toEqual([]);
  expect(await sums({ channel: 'import@tariff.night' })).toEqual([
    [8, 8],
    [24, 24],
    [23, 23],
  ]);
  for (const resolution of ['month', 'year']) {
    expect(await sums({ channel: 'import@tariff.night', resolution })).toEqual([[55, 55]]);
    expect(await sums({ channel: 'import@tariff.day', resolution, asOf: '2024-04-03T00:00:00Z' })).toEqual([[20, 16]]);
  }
});

test('the registers of a day add up to the day, at every instant', async () => {
  for (const asOf of ['2024-04-02T00:00:00Z', '2024-04-04T00:00:00Z']) {
    const total = async (channel: string): Promise<number> =>
      (await sums({ channel, asOf })).reduce<number>((sum, each) => sum + ((each as number[])[0] ?? 0), 0);
    const registers = (await total('import@tariff.day')) + (await total('import@tariff.night'));
    expect(registers).toBe(await total('import'));
  }
});

test('gas days begin as the calendar says', async () => {
  const { json } = await ask('/v1/aggregates', { channel: 'import@gas-day', asOf: '2024-04-02T00:00:00Z' });
  expect((json['aggregates'] as Record<string, unknown>[]).map(({ start, count }) => [start, count])).toEqual([
    ['2024-03-28T05:00:00Z', 6],
    ['2024-03-29T05:00:00Z', 24],
    ['2024-03-30T05:00:00Z', 23],
    ['2024-03-31T04:00:00Z', 18],
  ]);
});

test('a register that the series does not have is empty, as it is without an instant', async () => {
  expect(await sums({ channel: 'import@tariff.dawn' })).toEqual([]);
  expect(await sums({ channel: 'import@other' })).toEqual([]);
  expect(await sums({ channel: 'counter@gas-day' })).toEqual([]);
});

test('shorter windows, and what a counter showed, are told as they were known', async () => {
  const half = { channel: 'import', resolution: '2h', from: '2024-03-29T11:00:00Z', to: '2024-03-29T13:00:00Z' };
  const known = async (asOf: string): Promise<unknown[]> =>
    (await sums({ ...half, asOf })).map((each) => (each as unknown[])[0]);
  expect(await known('2024-04-02T00:00:00Z')).toEqual([2]);
  expect(await known('2024-04-03T00:00:00Z')).toEqual([6]);
  const counter = { channel: 'counter', from: half.from, to: half.to };
  const shown = async (asOf: string): Promise<unknown[]> => {
    const { json } = await ask('/v1/readings', { ...counter, asOf });
    return (json['readings'] as { value: number }[]).map(({ value }) => value);
  };
  expect(await shown('2024-04-02T00:00:00Z')).toEqual([1, 1]);
  expect(await shown('2024-04-03T00:00:00Z')).toEqual([5, 1]);
});

test('groups are refused still, with what to ask for', async () => {
  const { status, json } = await ask('/v1/aggregates', { meter: 'group:g', channel: 'import', asOf: '2024-04-02' });
  expect([status, JSON.stringify(json)]).toEqual([422, expect.stringContaining('ask for their members')]);
});
