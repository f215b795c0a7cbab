import { ConfigurationError } from '@meterflow/service';
import { describe, expect, test } from 'vitest';
import { parseIngestConfig } from './ingest-config.ts';

const parse = (environment: Readonly<Record<string, string>>) =>
  parseIngestConfig({ METERFLOW_DATA_DIR: '/data', ...environment }, { pid: 7 });

describe('the configuration', () => {
  test('keeps readings long enough for the samples of 2012', () => {
    expect(parse({})).toMatchObject({ dataDir: '/data', owner: 'ingest.7', readingsRetentionDays: 7_305 });
  });

  test('is told by the environment, with what every service is told', () => {
    const config = parse({ METERFLOW_READINGS_RETENTION_DAYS: '400', METERFLOW_LANES: 'live', PATH: '/bin' });
    expect(config).toMatchObject({ readingsRetentionDays: 400, lanes: ['live'] });
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
