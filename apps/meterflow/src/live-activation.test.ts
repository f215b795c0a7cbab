import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedServer } from './server/start-server.ts';
import { commandIn, newDataDir, startTestServer } from './testing/test-server.ts';

// Real processes of every stage, under a load of pushes, while rules are activated and taken back.

const rule = `import { defineRule } from '@meterflow/rule-sdk';
export default defineRule({
  name: 'mark',
  parameters: { mark: { type: 'number' } },
  onReading(reading, { parameters }) { reading.value = parameters.mark; },
});
`;
const readingsPerPush = 60;
/** So soon after an activation was answered every batch that is accepted is under it. */
const liveMs = 5_000;

const place = newDataDir();
let server: EmbeddedServer;
let url: string;
let keys: Readonly<Record<'provider' | 'customer', string>>;
const meterflow = (...words: string[]): Promise<string> => commandIn(place.dataDir, [...words, '--tenant', 'acme']);

beforeAll(async () => {
  server = await startTestServer(place.dataDir);
  url = server.url ?? '';
  await commandIn(place.dataDir, ['tenants', 'create', 'acme']);
  const key = async (role: string): Promise<string> =>
    (JSON.parse(await meterflow('keys', 'create', '--role', role, '--json')) as { key: string }).key;
  keys = { provider: await key('provider'), customer: await key('customer') };
  const folder = join(dirname(place.dataDir), 'rules');
  mkdirSync(folder);
  writeFileSync(join(folder, 'mark.ts'), rule);
  await meterflow('rules', 'upload', folder);
}, 60_000);
afterAll(async () => {
  await server.stop();
  place.remove();
});

interface Push {
  readonly meter: string;
  /** Begun at, on the clock of this test. */
  readonly atMs: number;
  /** The distinct values of its readings, when they could first be seen. */
  readonly values: readonly number[];
  readonly readings: number;
}

/** Pushes a meter's readings of its own, and looks at what they became as soon as they can be seen. */
async function push(meter: string): Promise<Push> {
  const atMs = performance.now();
  const lines = Array.from({ length: readingsPerPush }, (_, minute) => {
    const start = new Date(Date.UTC(2024, 0, 1, 0, minute)).toISOString();
    return `${meter},import,${start},0.5,kWh`;
  });
  const answer = await fetch(`${url}/v1/readings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.provider}`, 'content-type': 'text/csv' },
    body: ['meter_id,channel,start,value,unit', ...lines].join('\n'),
  });
  const { sourceId } = (await answer.json()) as { sourceId: string };
  await fetch(`${url}/v1/sources/${encodeURIComponent(sourceId)}?waitSeconds=20`, {
    headers: { authorization: `Bearer ${keys.provider}` },
  });
  const rows = await readingsOf(meter);
  return { meter, atMs, values: [...new Set(rows)], readings: rows.length };
}

async function readingsOf(meter: string): Promise<readonly number[]> {
  const query = `meter=${meter}&channel=import&from=2024-01-01&to=2024-01-02`;
  const answer = await fetch(`${url}/v1/readings?${query}`, { headers: { authorization: `Bearer ${keys.customer}` } });
  return ((await answer.json()) as { readings: { value: number }[] }).readings.map(({ value }) => value);
}

test(
  'an activation, and a roll-back, is live within five seconds; no batch is of two, and none is lost',
  { timeout: 90_000 },
  async () => {
    const ending = new AbortController();
    const pushes: Promise<Push>[] = [];
    const load = (async () => {
      for (let count = 0; !ending.signal.aborted; count++) {
        pushes.push(push(`M${count}`));
        await sleep(80);
      }
    })();
    const marks: { readonly mark: number; readonly atMs: number }[] = [{ mark: 0.5, atMs: performance.now() }];
    const activate = async (mark: number): Promise<void> => {
      await meterflow('rules', 'activate', 'mark', '--from', '2024-01-01', '--parameters', `mark=${mark}`);
      marks.push({ mark, atMs: performance.now() });
    };
    await sleep(500);
    await activate(7);
    await sleep(liveMs + 1_000);
    await activate(8);
    await meterflow('rules', 'rollback');
    marks.push({ mark: 7, atMs: performance.now() });
    await sleep(liveMs + 1_000);
    ending.abort();
    await load;

    const done = await Promise.all(pushes);
    expect(done.length).toBeGreaterThan(50);
    for (const each of done) {
      expect(each).toMatchObject({ readings: readingsPerPush, values: [expect.any(Number)] });
      const settled = marks.findLast(({ atMs }) => atMs + liveMs <= each.atMs);
      const later = marks.filter(({ atMs }) => settled === undefined || atMs > settled.atMs).map(({ mark }) => mark);
      expect({ ...each, possible: [settled?.mark, ...later] }).toMatchObject({
        possible: expect.arrayContaining([...each.values]) as number[],
      });
    }
    expect(done.at(-1)?.values).toEqual([7]);
  },
);
