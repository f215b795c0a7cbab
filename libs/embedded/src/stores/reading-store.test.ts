import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Origin } from '@meterflow/idempotent-writes';
import { describeReadingHistory, describeReadingStore, writeOf } from '@meterflow/idempotent-writes/testing';
import type { Layer } from '@meterflow/readings';
import { epochMs, type PlainReading } from '@meterflow/readings/testing';
import { expect, test } from 'vitest';
import { openReadingStore, type EmbeddedReadingStore } from './reading-store.ts';

function open(layer: Layer): Promise<{ store: EmbeddedReadingStore; close: () => Promise<void> }> {
  const root = mkdtempSync(join(tmpdir(), 'meterflow-readings-'));
  const store = openReadingStore({ file: join(root, 'stores', 'raw.sqlite'), layer });
  return Promise.resolve({
    store,
    close: () => {
      store.close();
      rmSync(root, { recursive: true });
      return Promise.resolve();
    },
  });
}

describeReadingStore('EmbeddedReadingStore', open, { runs: 20 });
describeReadingHistory('EmbeddedReadingStore', open);

test('what is stored while somebody asks what was known does not count as known', async () => {
  const root = mkdtempSync(join(tmpdir(), 'meterflow-readings-'));
  const place = { meter: 'm1', channel: 'import', startMs: epochMs, lengthMs: 900_000 };
  const valueOf = (integer: number): PlainReading => ({
    ...{ ...place, integer, decimals: 0, declared: integer, quality: 0, unit: 'kWh', reason: '' },
  });
  const write = (integer: number, acceptedAtMs: number): Promise<unknown> =>
    store.write([writeOf({ acceptedAtMs, readings: [valueOf(integer)] }, { layer: 'validated' })]);
  const store = openReadingStore({
    ...{ file: join(root, 'stores', 'validated.sqlite'), layer: 'validated' },
    originsOfRaw: async () => {
      const first: Origin = {
        ...{ sourceId: 's', acceptedAtMs: 10, declared: 1, startMs: epochMs, stepMs: 0, count: 1 },
        ...{ lengthMs: 900_000, line: 1, lineStep: 0 },
      };
      await write(2, 30);
      return [first];
    },
  });
  await write(1, 10);
  const days = { tenant: 'acme', meter: 'm1', channel: 'import', layer: 'validated' } as const;
  const known = await store.asOf({ ...days, fromMs: epochMs, toMs: epochMs + 900_000 }, { instantMs: 20 });
  expect(known.flatMap(({ columns }) => [...columns.values])).toEqual([1]);
  store.close();
  rmSync(root, { recursive: true });
});
