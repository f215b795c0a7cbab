import { ConfigurationError } from '@meterflow/service';
import { describe, expect, test } from 'vitest';
import { parseIngestConfig } from './ingest-config.ts';

const parse = (environment: Readonly<Record<string, string>>) =>
  parseIngestConfig(
    { METERFLOW_DATA_DIR: '/data', ...environment },
    {
      run: 'r7',
      readText: () => '{"tables":{"retentionDays":{"readings":1100}}}',
    },
  );

describe('the configuration', () => {
  test('keeps readings long enough for the samples of 2012', () => {
    expect(parse({})).toMatchObject({ dataDir: '/data', owner: 'ingest.r7', readingsRetentionDays: 7_305 });
  });

  test('is told by the environment, with what every service is told', () => {
    const config = parse({ METERFLOW_READINGS_RETENTION_DAYS: '400', METERFLOW_LANES: 'live', PATH: '/bin' });
    expect(config).toMatchObject({ readingsRetentionDays: 400, lanes: ['live'] });
  });

  test('answers keys on a port where it is told one, as behind an ingress', () => {
    expect(parse({}).httpPort).toBeUndefined();
    expect(parse({ METERFLOW_HTTP_PORT: '8080' }).httpPort).toBe(8_080);
    expect(() => parse({ METERFLOW_HTTP_PORT: '0' })).toThrow(ConfigurationError);
  });

  test('takes no reading that the tables of the platform file would not keep', () => {
    const google = {
      METERFLOW_PLATFORM_FILE: 'platform.json',
      METERFLOW_PLATFORM: 'google',
      METERFLOW_GOOGLE_PROJECT: 'p',
      METERFLOW_BIGTABLE_INSTANCE: 'i',
      METERFLOW_REDIS_URLS: 'redis://r',
    };
    expect(parse(google).readingsRetentionDays).toBe(1_100);
    expect(parse({ ...google, METERFLOW_READINGS_RETENTION_DAYS: '400' }).readingsRetentionDays).toBe(400);
    expect(() => parse({ ...google, METERFLOW_READINGS_RETENTION_DAYS: '1101' })).toThrow(/keep readings for 1100/);
  });

  test('that does not fit names every problem at once', () => {
    const wrong = { METERFLOW_READINGS_RETENTION_DAYS: '1', METERFLOW_DRAIN_MS: 'x', METERFLOW_RETENTION: '3' };
    expect(() => parse(wrong)).toThrow(ConfigurationError);
    expect(() => parse(wrong)).toThrow(
      /METERFLOW_READINGS_RETENTION_DAYS[^]*METERFLOW_DRAIN_MS|METERFLOW_DRAIN_MS[^]*METERFLOW_READINGS_RETENTION_DAYS/,
    );
    expect(() => parse(wrong)).toThrow(/METERFLOW_RETENTION"/);
  });
});
