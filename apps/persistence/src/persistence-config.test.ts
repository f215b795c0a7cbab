import { warehouseLimits } from '@meterflow/bigquery';
import { describe, expect, test } from 'vitest';
import { parsePersistenceConfig, warehouseStuckMsMin } from './persistence-config.ts';

const parse = (environment: Readonly<Record<string, string>>) =>
  parsePersistenceConfig(
    { METERFLOW_DATA_DIR: '/data', ...environment },
    { run: 'r', readText: () => '{ "warehouse": { "dataset": "metering", "location": "EU" } }' },
  );

const google = {
  METERFLOW_PLATFORM: 'google',
  METERFLOW_GOOGLE_PROJECT: 'p',
  METERFLOW_BIGTABLE_INSTANCE: 'i',
  METERFLOW_REDIS_URLS: 'redis://r',
};
const withWarehouse = { ...google, METERFLOW_PLATFORM_FILE: 'platform.json' };

describe('persistence', () => {
  test('fills the primary store, unless told to fill the warehouse', () => {
    expect(parse({}).sink).toBe('primary');
    expect(parse({ ...google, METERFLOW_SINK: 'bigtable' }).sink).toBe('primary');
    expect(parse({ ...withWarehouse, METERFLOW_SINK: 'bigquery' })).toMatchObject({
      sink: 'warehouse',
      platform: { warehouse: { dataset: 'metering' } },
    });
  });

  test('fills no warehouse that nobody declares, nor on a platform that has none', () => {
    expect(() => parse({ ...google, METERFLOW_SINK: 'bigquery' })).toThrow(/needs a warehouse in the platform file/);
    expect(() => parse({ METERFLOW_SINK: 'bigtable' })).toThrow(/needs METERFLOW_PLATFORM=google/);
    expect(() => parse({ METERFLOW_SINK: 'duckdb' })).toThrow(/METERFLOW_SINK/);
  });

  test('is not taken for stuck while a load waits for its turn, runs, or a quota is used up', () => {
    const { jobMs, loadIntervalMs, quotaPauseMs } = warehouseLimits;
    expect(warehouseStuckMsMin).toBeGreaterThanOrEqual(jobMs + loadIntervalMs + quotaPauseMs);
    const filling = { ...withWarehouse, METERFLOW_SINK: 'bigquery' };
    expect(parse(filling).service.stuckMs).toBeGreaterThan(warehouseStuckMsMin);
    expect(() => parse({ ...filling, METERFLOW_STUCK_MS: '30000' })).toThrow(/METERFLOW_STUCK_MS is 30000/);
  });
});
