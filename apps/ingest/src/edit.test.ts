import { ReadingCursor } from '@meterflow/readings';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { IngestStand } from './testing/ingest-stand.ts';

let stand: IngestStand;
let key: string;
beforeAll(async () => {
  stand = await IngestStand.open();
  key = await stand.key('acme', 'customer');
});
beforeEach(() => {
  stand.published.length = 0;
});
afterAll(() => stand.close());

const one = {
  ...{ meter: 'm1', channel: 'import', start: '2024-01-01T00:00:00Z', end: '2024-01-01T00:15:00Z' },
  ...{ value: 1.25, unit: 'kWh' },
};
const order = { author: 'R. Weber', reason: 'read from a photograph', edits: [one] };

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

async function edit(body: unknown, headers: Readonly<Record<string, string>> = {}, as = key): Promise<Answer> {
  const answer = await fetch(`${stand.url}/v1/edits`, {
    method: 'POST',
    headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, json: (await answer.json()) as Answer['json'] };
}

test('an edit is a source: its receipt says who and why, its reading is substituted, with the reason', async () => {
  const { status, json } = await edit(order);
  expect(status).toBe(200);
  expect(json).toMatchObject({ accepted: 1, rejected: 0, label: 'edit by R. Weber: read from a photograph' });
  expect(stand.readings).toEqual(['1 m1 import 2024-01-01T00:00:00Z/15m 1.25 kWh 2 0']);
  const { batch } = stand.published[0]!;
  expect(batch).toMatchObject({ tenant: 'acme', layer: 'raw' });
  const cursor = new ReadingCursor(batch.columns);
  cursor.next();
  expect([cursor.method, cursor.reason]).toEqual(['manual-edit', 'read from a photograph']);
});

test('a declared version is kept, a value of null takes the reading back', async () => {
  const edits = [
    { ...one, version: 8 },
    { ...one, meter: 'm2', value: null },
    { ...one, meter: 'm3', value: '0.000000001' },
  ];
  expect((await edit({ ...order, edits })).json).toMatchObject({ accepted: 3 });
  expect(stand.readings).toEqual([
    '1 m1 import 2024-01-01T00:00:00Z/15m 1.25 kWh 2 8',
    '2 m2 import 2024-01-01T00:00:00Z/15m none kWh 4 0',
    '3 m3 import 2024-01-01T00:00:00Z/15m 0.000000001 kWh 2 0',
  ]);
});

test('the same edit under one Idempotency-Key is one edit', async () => {
  const headers = { 'idempotency-key': 'edit-1' };
  const [first, again] = [await edit(order, headers), await edit(order, headers)];
  expect(again.json['sourceId']).toBe(first.json['sourceId']);
  expect(stand.published).toHaveLength(1);
  expect((await edit({ ...order, author: 'A. Other' }, headers)).status).toBe(409);
});

test.each([
  ['nobody who says so', { ...order, author: ' ' }, 'author'],
  ['no reason', { ...order, reason: '' }, 'reason'],
  ['a reason of several lines', { ...order, reason: 'a\nb' }, 'reason'],
  ['no edits', { ...order, edits: [] }, 'edits'],
  ['an end before the start', { ...order, edits: [{ ...one, end: '2023-12-31T00:00:00Z' }] }, 'edits.0.end'],
  ['a value that is none', { ...order, edits: [one, { ...one, value: 'much' }] }, 'edits.1'],
  ['an unknown unit', { ...order, edits: [{ ...one, unit: 'parsec' }] }, 'edits.0.unit'],
])('%s is refused, and nothing comes of it', async (_, body, at) => {
  const { status, json } = await edit(body);
  expect([400, 422]).toContain(status);
  expect(JSON.stringify(json)).toContain(at);
  expect(stand.published).toEqual([]);
});

test('providers do not edit', async () => {
  expect((await edit(order, {}, await stand.key('acme', 'provider'))).status).toBe(403);
});
