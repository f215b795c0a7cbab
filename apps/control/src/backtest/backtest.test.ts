import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BatchBuilder, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';
import { hasMeter } from '@meterflow/rules';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { controlRig, type ControlRig } from '../testing/control-rig.ts';

const rule = `import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'capped',
  parameters: { top: { type: 'number', default: 4, min: 0, unit: 'kWh' }, refuse: { type: 'boolean', default: false } },
  needs: { channels: ['import*'] },
  onReading(reading, { parameters: { top, refuse } }) {
    if (reading.value > top) {
      reading.annotate('capped');
      reading.value = top;
      reading.quality = 'substituted';
      if (refuse) reading.reject('too high');
    }
  },
});
`;
const hourMs = 3_600_000;
const firstMs = Date.UTC(2024, 0, 31);
const meters = Array.from({ length: 40 }, (_, index) => `M${index}`);

/** Two days of hours: 1 kWh each, but 5.5 at noon UTC. */
function days(channel: string): ReadingBatch {
  return hoursOf(channel, meters, () => true);
}

function hoursOf(channel: string, of: readonly string[], isThere: (hour: number) => boolean): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  let line = 1;
  for (const meter of of) {
    for (let hour = 0; hour < 48; hour++) {
      row.series = builder.series(meter, channel);
      row.unit = builder.text('kWh');
      row.code = builder.text('');
      row.version = builder.version(rawVersion(0, 1_000));
      row.startMs = firstMs + hour * hourMs;
      row.lengthMs = hourMs;
      row.integer = hour % 24 === 12 ? 55 : 10;
      row.decimals = 1;
      row.line = ++line;
      if (isThere(hour)) {
        builder.append(row);
      }
    }
  }
  return builder.finish({ tenant: 'acme', layer: 'raw', sourceId: 's.1', acceptedAtMs: 1_000, activation: 0 });
}

let rig: ControlRig;
let url: string;
beforeAll(async () => {
  rig = await controlRig();
  url = await rig.server.listen({ host: '127.0.0.1', port: 0 });
  await rig.platform
    .readings('raw')
    .write(
      ['import', 'export'].map((channel, index) => ({ key: String(index).padStart(32, '0'), batch: days(channel) })),
    );
  const uploaded = await ask('/v1/rules', { entry: 'capped.ts', files: { 'capped.ts': rule } });
  expect(uploaded.status).toBe(201);
}, 60_000);
afterAll(async () => {
  await rig.server.close();
  await rig.close();
});

function ask(path: string, body: object, key = rig.keys.acme.customer): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

interface Result {
  readonly [name: string]: unknown;
  readonly meters: { readonly sampled: number; readonly stored: number };
  readonly changedSeries: readonly { readonly meter: string }[];
}

async function backtest(order: object): Promise<Result> {
  const answer = await ask('/v1/backtests', { rule: 'capped', from: '2024-01-31', to: '2024-02-02', ...order });
  const lines = (await answer.text()).trim().split('\n');
  return (JSON.parse(lines.at(-1) ?? '') as { result: Result }).result;
}

/** All that is stored, but for what SQLite keeps to share a file. */
async function contents(root: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const path of entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()) {
    if (!path.endsWith('-shm')) {
      hash.update(path).update(await readFile(path));
    }
  }
  return hash.digest('hex');
}

describe('a backtest', () => {
  test('tells what would be otherwise, exactly, and writes nothing', { timeout: 60_000 }, async () => {
    const before = await contents(rig.root);
    const result = await backtest({
      tariff: {
        prices: [
          { from: '12:00', price: '0.5' },
          { from: '13:00', price: '0.25' },
        ],
      },
    });
    expect(result).toMatchObject({
      rule: { name: 'capped', version: 1 },
      meters: { sampled: 40, stored: 40 },
      series: { done: 40, of: 40 },
      readings: 40 * 48,
      changed: { readings: 80, values: 80, qualities: 80, rejected: 0, restored: 0, annotated: 80 },
      qualities: { before: { measured: 1920, substituted: 0 }, after: { measured: 1840, substituted: 80 } },
      failures: { before: { readings: 0 }, after: { readings: 0, first: [] } },
      days: [
        { channel: 'import', unit: 'kWh', window: '2024-01-31', before: 1140, after: 1080 },
        { channel: 'import', unit: 'kWh', window: '2024-02-01', before: 1140, after: 1080 },
      ],
      months: [
        { channel: 'import', unit: 'kWh', window: '2024-01', before: 1140, after: 1080 },
        { channel: 'import', unit: 'kWh', window: '2024-02', before: 1140, after: 1080 },
      ],
      // 80 noons at 0.5, all else at 0.25.
      money: [{ channel: 'import', before: 80 * 5.5 * 0.5 + 1840 * 0.25, after: 80 * 4 * 0.5 + 1840 * 0.25 }],
    });
    expect((result['examples'] as unknown[])[0]).toMatchObject({
      ...{ channel: 'import', start: '2024-01-31T12:00:00Z' },
      before: { value: 5.5, unit: 'kWh', quality: 'measured', reason: '' },
      after: { value: 4, unit: 'kWh', quality: 'substituted', reason: 'capped' },
    });
    expect(result['sandbox']).toMatchObject({ after: { residentBytesMax: expect.any(Number) as number } });
    expect(await contents(rig.root)).toBe(before);
  });

  test('of a share takes the meters that an activation takes, and of a count always the same', async () => {
    const share = await backtest({ share: 0.3 });
    const taken = meters.filter((meter) => hasMeter({ from: 0, to: 0.3 }, meter));
    expect(share.meters).toEqual({ sampled: taken.length, stored: 40 });
    expect(new Set(share.changedSeries.map(({ meter }) => meter))).toEqual(new Set(taken));
    const three = await backtest({ meters: 3 });
    expect(three.meters.sampled).toBe(3);
    three.changedSeries.forEach(({ meter }) => {
      expect(taken).toContain(meter);
    });
    expect(await backtest({ meters: 3 })).toMatchObject({ changedSeries: three.changedSeries });
  });

  test('counts what is rejected, and what fails under the flow’s policy', { timeout: 60_000 }, async () => {
    expect(await backtest({ parameters: { refuse: true } })).toMatchObject({
      changed: { readings: 80, rejected: 80, values: 0 },
      qualities: { after: { missing: 80 } },
    });
    const failing = rule.replace('if (reading.value > top) {', "if (reading.value > top) {\n throw new Error('no');");
    await ask('/v1/rules', { entry: 'failing.ts', files: { 'failing.ts': failing.replace("'capped'", "'failing'") } });
    expect(await backtest({ rule: 'failing' })).toMatchObject({
      changed: { rejected: 0, annotated: 80 },
      failures: { after: { readings: 80, first: expect.arrayContaining([expect.stringContaining('no')]) as string[] } },
    });
    expect(await backtest({ rule: 'failing', onFailure: 'reject' })).toMatchObject({ changed: { rejected: 80 } });
  });

  test('ends within its bound, with whole meters', async () => {
    expect(await backtest({ readingsMax: 50 })).toMatchObject({
      endedBy: 'readings',
      readings: 96,
      series: { done: 2 },
    });
  });

  describe('of a rule for whole days', () => {
    /** Three hours of the second day never came. */
    const kept = (hour: number): boolean => hour < 30 || hour > 32;

    beforeAll(async () => {
      const batch = hoursOf('supply', ['G1'], kept);
      await rig.platform.readings('raw').write([{ key: 'f'.repeat(32), batch }]);
    });

    test('fills, tells it and its money, and writes nothing', { timeout: 60_000 }, async () => {
      const stored = await contents(rig.root);
      const order = {
        ...{ rule: 'fill-linear', channels: 'supply', parameters: { hoursMax: 3 } },
        tariff: { prices: [{ from: '00:00', price: '0.5' }] },
      };
      const result = await backtest(order);
      expect(result).toMatchObject({
        ...{ readings: 48, meters: { sampled: 1, stored: 1 }, series: { done: 1, of: 1 } },
        changed: { readings: 3, values: 0, qualities: 0, rejected: 0, restored: 0, filled: 3, withdrawn: 0 },
        qualities: { before: { measured: 45, estimated: 0 }, after: { measured: 45, estimated: 3 } },
        days: [
          { channel: 'supply', unit: 'kWh', window: '2024-01-31', before: 28.5, after: 28.5 },
          { channel: 'supply', unit: 'kWh', window: '2024-02-01', before: 25.5, after: 28.5 },
        ],
        money: [{ channel: 'supply', before: 27, after: 28.5 }],
      });
      expect((result['examples'] as unknown[])[0]).toMatchObject({
        ...{ meter: 'G1', start: '2024-02-01T06:00:00Z', before: null },
        after: { value: 1, quality: 'estimated' },
      });
      expect(await contents(rig.root)).toBe(stored);
      expect(await backtest({ ...order, parameters: { hoursMax: 2 } })).toMatchObject({ changed: { readings: 0 } });
    });

    test(
      'holds it against the rule that is active: less is filled, so readings are withdrawn',
      { timeout: 60_000 },
      async () => {
        const activated = await ask('/v1/rules/fill-linear/activate', {
          ...{ channels: 'supply', from: '2024-01-31T00:00:00Z', parameters: { hoursMax: 3 } },
        });
        expect(activated.status).toBeLessThan(300);
        expect(await backtest({ rule: 'fill-linear', channels: 'supply', parameters: { hoursMax: 2 } })).toMatchObject({
          changed: { readings: 3, filled: 0, withdrawn: 3 },
        });
      },
    );
  });

  test.each<readonly [name: string, order: object, answer: readonly [status: number, told: string]]>([
    ['no such rule', { rule: 'none' }, [404, 'there is no rule none']],
    ['a parameter out of range', { parameters: { top: -1 } }, [422, 'top must be at least 0 kWh, not -1']],
    ['a channel it is not made for', { channels: 'export' }, [422, 'the rule is made for import*, not for export']],
    ['a span that is none', { to: '2024-01-01' }, [400, '`from` must lie before `to`']],
    ['a price that is none', { tariff: { prices: [{ from: '12:00', price: 'dear' }] } }, [400, 'not a decimal number']],
    ['a share of nothing', { share: 0 }, [400, 'share']],
  ])('is refused for %s', async (_, order, [status, told]) => {
    const whole = { rule: 'capped', from: '2024-01-31', to: '2024-02-02', ...order };
    const answer = await ask('/v1/backtests', whole);
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(told)]);
  });

  test('sees no other tenant’s readings or rules', async () => {
    const order = { rule: 'capped', from: '2024-01-31', to: '2024-02-02' };
    expect((await ask('/v1/backtests', order, rig.keys.other.customer)).status).toBe(404);
  });
});
