import type { OutcomeCounts, ReadingWrite } from '@meterflow/idempotent-writes';
import { silentTelemetry } from '@meterflow/stage';
import { expect, test } from 'vitest';
import { countedReadings } from './counted-readings.ts';
import { Promises } from './promises.ts';

const none: OutcomeCounts = { inserted: 0, superseded: 0, shadowed: 0, duplicate: 0, conflict: 0 };
const nowMs = 1_000_000;

function accepted(tenant: string, agoMs: number): ReadingWrite {
  return { key: tenant, batch: { tenant, acceptedAtMs: nowMs - agoMs } } as unknown as ReadingWrite;
}

test('outcomes are counted, and of new readings whether they are queryable in time', async () => {
  const counts: Record<string, number> = {};
  const results = [
    { ...none, inserted: 10, duplicate: 2 },
    { ...none, inserted: 5 },
    { ...none, superseded: 7 },
  ];
  const sink = countedReadings(
    { write: () => Promise.resolve(results) },
    {
      layer: 'validated',
      telemetry: {
        ...silentTelemetry,
        count: (name, value = 1, labels = {}) => {
          const key = [name, ...Object.values(labels)].join(' ');
          counts[key] = (counts[key] ?? 0) + value;
        },
      },
      promises: { withinMs: (tenant) => (tenant === 'quick' ? 1_000 : 60_000) },
      nowMs: () => nowMs,
    },
  );
  await sink.write([accepted('quick', 5_000), accepted('slow', 5_000), accepted('slow', 1e9)]);
  expect(counts).toEqual({
    'persistence_readings_stored_total validated inserted': 15,
    'persistence_readings_stored_total validated duplicate': 2,
    'persistence_readings_stored_total validated superseded': 7,
    'persistence_readings_queryable_total quick validated false': 10,
    'persistence_readings_queryable_total slow validated true': 5,
  });
});

test('a tenant’s promise is looked up now and then, and the default holds while it is not known', async () => {
  let at = 0;
  let asked = 0;
  const get = (name: string) => {
    asked += 1;
    const tenant = { name, createdAtMs: 0, queryableWithinMs: 7 } as Awaited<ReturnType<Parameters['get']>>;
    return asked === 3 ? Promise.reject(new Error('down')) : Promise.resolve(tenant);
  };
  type Parameters = ConstructorParameters<typeof Promises>[0];
  const promises = new Promises({ get }, () => at);
  expect(promises.withinMs('acme')).toBe(60_000);
  await Promise.resolve();
  expect([promises.withinMs('acme'), asked]).toEqual([7, 1]);
  for (at of [70_000, 140_000, 141_000]) {
    expect(promises.withinMs('acme')).toBe(7);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(asked).toBe(3);
});
