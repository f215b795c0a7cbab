import { canonicalRows, writeOf } from '@meterflow/idempotent-writes/testing';
import { epochMs, type PlainReading } from '@meterflow/readings/testing';
import { silentTelemetry, type Clock, type Telemetry } from '@meterflow/stage';
import { expect, test } from 'vitest';
import { tables } from '../schema.ts';
import { withEmulator, type OpenStores } from '../testing/temporary-stores.ts';
import { inQualifiers } from '../wire/row-filter.ts';
import { CompactionRounds, compactionLimits, sliceKeys, type CompactionLimits } from './compaction-rounds.ts';

const slotMs = 900_000;
const dayMs = 86_400_000;
const limits: Partial<CompactionLimits> = { slices: 4, roundMs: 4 * dayMs };
const meters = Array.from({ length: 12 }, (_, index) => `m${index}`);

function reading(meter: string, slot: number): PlainReading {
  return {
    ...{ meter, channel: 'import', startMs: epochMs + slot * slotMs, lengthMs: slotMs, integer: slot, decimals: 0 },
    ...{ quality: 0, unit: 'kWh', reason: '', declared: 0 },
  };
}

/** A clock that stands still until it is set. */
function clockAt(nowMs: number): Clock & { nowAtMs: number } {
  const clock = { nowAtMs: nowMs, nowMs: () => clock.nowAtMs, sleep: () => Promise.resolve() };
  return clock;
}

test('slices cover every key once', () => {
  const { slices } = compactionLimits;
  const all = Array.from({ length: slices }, (_, slice) => sliceKeys(slice, slices));
  expect(all[0]?.from).toEqual(Buffer.of(0));
  expect(all.at(-1)?.to).toEqual(Buffer.alloc(0));
  all.slice(1).forEach(({ from }, index) => {
    expect(from).toEqual(all[index]?.to);
  });
});

withEmulator('rounds of compaction', (emulator) => {
  const never = new AbortController().signal;

  async function filled(): Promise<OpenStores> {
    const stores = await emulator.open({ only: ['readings', 'ledger', 'registry'] });
    for (let slot = 0; slot < 4; slot++) {
      const readings = meters.map((meter) => reading(meter, slot));
      await stores.readings('raw').write([writeOf({ acceptedAtMs: slot + 1, readings })]);
    }
    return stores;
  }

  const roundsOf = (stores: OpenStores, clock: Clock, telemetry: Telemetry = silentTelemetry): CompactionRounds =>
    new CompactionRounds({
      ...{ readings: stores.readings('raw'), registry: stores.registry, clock, telemetry, limits },
    });

  async function cells(stores: OpenStores): Promise<number> {
    let count = 0;
    const filter = inQualifiers({ family: tables.readings.segments });
    const all = { from: Buffer.of(0), to: Buffer.alloc(0) };
    for await (const row of stores.table(tables.readings.name).scan(all, filter, 100)) {
      count += row.cells.length;
    }
    return count;
  }

  const rowsOf = (stores: OpenStores): Promise<unknown[]> =>
    Promise.all(meters.map((meter) => canonicalRows(stores.readings('raw'), { meter, channel: 'import' })));

  test('a round compacts every closed day once, slice by slice as they fall due, and another process goes on', async () => {
    const stores = await filled();
    const before = await rowsOf(stores);
    const clock = clockAt(epochMs + 40 * dayMs);
    const due: number[] = [];
    const counted = new Map<string, number>();
    const telemetry: Telemetry = {
      ...silentTelemetry,
      gauge: (_, value) => due.push(value),
      count: (name, value, labels) => {
        const key = `${name} ${labels?.['outcome'] ?? ''}`.trim();
        counted.set(key, (counted.get(key) ?? 0) + (value ?? 1));
      },
    };
    expect(await cells(stores)).toBe(4 * meters.length);
    expect(await roundsOf(stores, clock, telemetry).step(never)).toBe(true);
    expect(await roundsOf(stores, clock, telemetry).step(never)).toBe(false);
    clock.nowAtMs += 2 * dayMs;
    const another = roundsOf(emulator.reopen(stores) as OpenStores, clock, telemetry);
    expect([await another.step(never), await another.step(never), await another.step(never)]).toEqual([
      true,
      true,
      false,
    ]);
    clock.nowAtMs += dayMs;
    expect(await another.step(never)).toBe(true);
    expect(due).toEqual([1, 0, 2, 1, 0, 1]);
    expect(await cells(stores)).toBe(meters.length);
    expect(await rowsOf(stores)).toEqual(before);
    expect(counted.get('bigtable_compaction_rows_total changed')).toBe(meters.length);
    expect(counted.get('bigtable_compaction_cells_removed_total')).toBe(3 * meters.length);
    await stores.close();
  });

  test('two at once leave what one leaves, and one that is ended in between leaves its slice to the next', async () => {
    const stores = await filled();
    const before = await rowsOf(stores);
    const clock = clockAt(epochMs + 40 * dayMs);
    const two = [roundsOf(stores, clock), roundsOf(emulator.reopen(stores) as OpenStores, clock)] as const;
    const ended = new AbortController();
    ended.abort();
    expect(await two[0].step(ended.signal)).toBe(false);
    for (let slice = 0; slice < 4; slice++) {
      expect((await Promise.all(two.map((rounds) => rounds.step(never)))).includes(true)).toBe(true);
      clock.nowAtMs += dayMs;
    }
    expect(await cells(stores)).toBe(meters.length);
    expect(await rowsOf(stores)).toEqual(before);
    await stores.close();
  });

  test('after a long pause one round is owed', async () => {
    const stores = await filled();
    const clock = clockAt(epochMs + 40 * dayMs);
    await roundsOf(stores, clock).step(never);
    clock.nowAtMs += 400 * dayMs;
    let slices = 0;
    while (await roundsOf(stores, clock).step(never)) {
      slices += 1;
    }
    expect(slices).toBe(4);
    await stores.close();
  });

  test('a failure is told and tried again; a day that is not closed stays', async () => {
    const stores = await filled();
    const clock = clockAt(epochMs + dayMs);
    const failures: number[] = [];
    const stop = new AbortController();
    let calls = 0;
    const readings = {
      compact: (span: Parameters<ReturnType<OpenStores['readings']>['compact']>[0]) => {
        calls += 1;
        return calls === 1 ? Promise.reject(new Error('away')) : stores.readings('raw').compact(span);
      },
    };
    const telemetry: Telemetry = {
      ...silentTelemetry,
      count: (name, value) => {
        if (name === 'bigtable_compaction_failures_total') {
          failures.push(value ?? 1);
        }
      },
    };
    clock.sleep = () => {
      if (calls === 2) {
        stop.abort();
      }
      return Promise.resolve();
    };
    await new CompactionRounds({ readings, registry: stores.registry, clock, telemetry, limits }).run(stop.signal);
    expect([failures, calls]).toEqual([[1], 2]);
    expect(await cells(stores)).toBe(4 * meters.length);
    await stores.close();
  });
});
