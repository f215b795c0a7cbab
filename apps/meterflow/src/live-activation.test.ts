import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lanes } from '@meterflow/contracts';
import { openEmbeddedPlatform } from '@meterflow/embedded';
import type { Layer, ReadingBatch } from '@meterflow/readings';
import { silentTelemetry } from '@meterflow/stage';
import { gatherMetrics } from '@meterflow/telemetry';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EmbeddedServer } from './server/start-server.ts';
import { startSecondHost, type SecondHost } from './testing/second-host.ts';
import { commandIn, newDataDir, startTestServer } from './testing/test-server.ts';
import { Witness } from './testing/witness.ts';

// Real processes of every stage, two of ingest and of rule-execution, under a load of pushes at both doors, while a rule is
// activated and taken back. A witness hears every batch that was accepted, and every one that came out of the rules.

const rule = `import { defineRule } from '@meterflow/rule-sdk';
export default defineRule({
  name: 'mark',
  parameters: { mark: { type: 'number' } },
  onReading(reading, { parameters }) { reading.value = parameters.mark; },
});
`;
const dayMs = 24 * 60 * 60 * 1_000;
/** Three days ago: a series flow runs on every closed day since a series' first reading. */
const firstMs = Math.floor(Date.now() / dayMs - 3) * dayMs;
const fromDay = new Date(firstMs).toISOString().slice(0, 10);
/** Readings of the second channel go through a series flow, by a rule that finds nothing in whole days. */
const channels = ['import', 'export'] as const;
const readingsPerSeries = 48;
const sentValue = 0.5;
const pushEveryMs = 80;
/** So soon after an activation was answered every batch that is accepted, at whichever door, is under it. */
const liveMs = 5_000;

const place = newDataDir();
let server: EmbeddedServer;
let second: SecondHost;
let witness: Witness;
let doors: readonly string[];
let keys: Readonly<Record<'provider' | 'customer', string>>;
const meterflow = (...words: string[]): Promise<string> => commandIn(place.dataDir, [...words, '--tenant', 'acme']);

beforeAll(async () => {
  server = await startTestServer(place.dataDir);
  second = await startSecondHost(place.dataDir, ['ingest', 'rule-execution']);
  witness = new Witness(place.dataDir, ['readings.accepted', 'readings.transformed'], lanes);
  doors = [server.url ?? '', second.url];
  await commandIn(place.dataDir, ['tenants', 'create', 'acme']);
  const key = async (role: string): Promise<string> =>
    (JSON.parse(await meterflow('keys', 'create', '--role', role, '--json')) as { key: string }).key;
  keys = { provider: await key('provider'), customer: await key('customer') };
  const folder = join(dirname(place.dataDir), 'rules');
  mkdirSync(folder);
  writeFileSync(join(folder, 'mark.ts'), rule);
  await meterflow('rules', 'upload', folder);
}, 120_000);
afterAll(async () => {
  await witness.close();
  await second.stop();
  await server.stop();
  place.remove();
}, 60_000);

interface Push {
  readonly meter: string;
  readonly door: number;
  readonly atMs: number;
  readonly sourceId: string;
  /** The distinct values of its readings as soon as its receipt is complete. */
  readonly seen: readonly number[];
}

/** Pushes a day of a meter of its own at one of the doors, and looks at what it became as soon as that can be seen. */
async function push(count: number): Promise<Push> {
  const meter = `M${count}`;
  const door = count % doors.length;
  const lines = channels.flatMap((channel) =>
    Array.from({ length: readingsPerSeries }, (_, slot) => {
      const start = new Date(firstMs + slot * 30 * 60_000).toISOString();
      return `${meter},${channel},${start},${sentValue},kWh`;
    }),
  );
  const atMs = Date.now();
  const answer = await fetch(`${doors[door] ?? ''}/v1/readings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.provider}`, 'content-type': 'text/csv' },
    body: ['meter_id,channel,start,value,unit', ...lines].join('\n'),
  });
  const { sourceId } = (await answer.json()) as { sourceId: string };
  await fetch(`${server.url ?? ''}/v1/sources/${encodeURIComponent(sourceId)}?waitSeconds=30`, {
    headers: { authorization: `Bearer ${keys.provider}` },
  });
  return { meter, door, atMs, sourceId, seen: await valuesOf(meter) };
}

async function valuesOf(meter: string): Promise<readonly number[]> {
  const query = `meter=${meter}&channel=import&from=${fromDay}&to=${new Date(firstMs + dayMs).toISOString()}`;
  const headers = { authorization: `Bearer ${keys.customer}` };
  const answer = await fetch(`${server.url ?? ''}/v1/readings?${query}`, { headers });
  const { readings } = (await answer.json()) as { readings: { value: number }[] };
  return [...new Set(readings.map(({ value }) => value))];
}

/** What a step of the rule's life made: an activation, what readings become under it, and when that was answered. */
interface Step {
  readonly number: number;
  readonly mark: number;
  readonly answeredMs: number;
}

async function stepOf(mark: number, ...words: string[]): Promise<Step> {
  const made = JSON.parse(await meterflow('rules', ...words, '--json')) as { number: number }[];
  return { number: Math.max(...made.map(({ number }) => number)), mark, answeredMs: Date.now() };
}

const activate = (mark: number): Promise<Step> =>
  stepOf(mark, 'activate', 'mark', '--from', fromDay, '--parameters', `mark=${mark}`);

/** Messages that each host's rule-execution has handled since it started. */
async function handledByHost(): Promise<readonly number[]> {
  return Promise.all(
    [place.dataDir, second.dataDir].map(async (dataDir) => {
      const text = await gatherMetrics([{ service: 'r', socket: join(dataDir, 'run', 'rule-execution.ops.sock') }]);
      const lines = text.split('\n').filter((line) => /settled_total\{.*outcome="handled".*rule-execution/.test(line));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    }),
  );
}

function distinctValues({ columns }: ReadingBatch): readonly number[] {
  return [...new Set(columns.values)].map((integer) => integer / 10 ** columns.decimals);
}

async function storedValues(layer: Layer, meters: readonly string[]): Promise<readonly number[]> {
  const platform = openEmbeddedPlatform({ root: place.dataDir, owner: 'reader', telemetry: silentTelemetry });
  const span = { fromMs: 0, toMs: Date.UTC(2100, 0, 1) };
  try {
    const values: number[] = [];
    for (const meter of meters) {
      for (const channel of channels) {
        for (const { columns } of await platform
          .readings(layer)
          .read({ tenant: 'acme', meter, channel, layer, ...span })) {
          values.push(...[...columns.values].map((integer) => integer / 10 ** columns.decimals));
        }
      }
    }
    return values;
  } finally {
    await platform.close();
  }
}

test(
  'an activation, and a roll-back, is live on every instance within five seconds; no batch is of two, none is lost',
  { timeout: 150_000 },
  async () => {
    await meterflow('rules', 'activate', 'gap-check', '--from', fromDay, '--channel', 'export');
    const steps = [await activate(3)];
    await sleep(liveMs);

    const ending = new AbortController();
    const pushes: Promise<Push>[] = [];
    const load = (async () => {
      for (let count = 0; !ending.signal.aborted; count++) {
        pushes.push(push(count));
        await sleep(pushEveryMs);
      }
    })();
    const handled = [await handledByHost()];
    const liveFor = async (ms: number): Promise<void> => {
      await sleep(ms);
      const before = handled.at(-1) ?? [];
      const counts = await vi.waitFor(
        async () => {
          const now = await handledByHost();
          expect(now.map((count, host) => count > (before[host] ?? 0))).toEqual([true, true]);
          return now;
        },
        { timeout: 20_000, interval: 200 },
      );
      handled.push(counts);
    };
    await liveFor(1_500);
    steps.push(await activate(7));
    await liveFor(liveMs + 1_500);
    steps.push(await activate(8));
    steps.push(await stepOf(7, 'rollback'));
    await liveFor(liveMs + 1_500);
    ending.abort();
    await load;
    const done = await Promise.all(pushes);
    const doorOf = new Map(done.map(({ sourceId, door }) => [sourceId, door]));
    const meters = done.map(({ meter }) => meter);

    // 1. Each door stamps with the newest, no later than five seconds after it was answered.
    const accepted = await witness.heard('readings.accepted');
    expect(accepted.map(({ sourceId }) => sourceId).toSorted()).toEqual([...doorOf.keys()].toSorted());
    for (const { number, answeredMs } of steps) {
      const settled = accepted.filter(({ acceptedAtMs }) => acceptedAtMs >= answeredMs + liveMs);
      expect(settled.filter(({ activation }) => activation < number)).toEqual([]);
      expect(new Set(settled.map(({ sourceId }) => doorOf.get(sourceId))).size).toBe(doors.length);
    }

    // 2. What is pushed five seconds after a step is seen as the step has it, and never as none had it.
    for (const { atMs, seen } of done) {
      const since = steps.findLastIndex(({ answeredMs }) => answeredMs + liveMs <= atMs);
      const possible = steps.slice(Math.max(0, since)).map(({ mark }) => mark);
      expect({ possible, seen }).toMatchObject({
        possible: expect.arrayContaining([...seen]) as number[],
        seen: [seen[0]],
      });
    }

    // 3. All comes to what counts in the end.
    const final = meters.flatMap(() => Array.from({ length: readingsPerSeries * channels.length }, () => 7));
    await vi.waitFor(
      async () => {
        expect(await storedValues('validated', meters)).toEqual(final);
      },
      { timeout: 60_000, interval: 1_000 },
    );
    expect(await storedValues('raw', meters)).toEqual(final.map(() => sentValue));

    // 4. Whatever came out of the rules, in the stream or over again, is of one activation, the one that it is stamped with.
    const transformed = await witness.heard('readings.transformed');
    const markUnder = (activation: number): number => steps.findLast(({ number }) => number <= activation)?.mark ?? 0;
    for (const batch of transformed) {
      const under = new Set(batch.columns.versions.activation);
      expect({ under, values: distinctValues(batch) }).toEqual({
        under: new Set([batch.activation]),
        values: [markUnder(batch.activation)],
      });
    }
    const streamed = new Map(
      transformed
        .filter(({ cause }) => doorOf.has(cause?.sourceId ?? ''))
        .map((batch) => [batch.cause?.sourceId, batch]),
    );
    expect(accepted.filter(({ sourceId, activation }) => streamed.get(sourceId)?.activation !== activation)).toEqual(
      [],
    );
  },
);
