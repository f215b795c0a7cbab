import { describe, expect, test } from 'vitest';
import { ConfigurationError, operationsSocket, parseServiceConfig } from './index.ts';

const files: Readonly<Record<string, string>> = {
  '/platform.json': '{ "lanes": ["live", "night"], "messages": { "ackDeadlineSeconds": 90 } }',
  '/ca.pem': '-----BEGIN CERTIFICATE-----\n…',
};
const readText = (path: string): string => {
  const text = files[path];
  if (text === undefined) {
    throw new Error('no such file');
  }
  return text;
};
const parse = (environment: Readonly<Record<string, string>>) =>
  parseServiceConfig({ METERFLOW_DATA_DIR: '/data', ...environment }, { service: 'persistence', run: 'r7', readText });

describe('a service', () => {
  test('owns its leases by a name that no other run of it has, unless it is told one', () => {
    expect(parse({}).owner).toBe('persistence.r7');
    expect(parse({ METERFLOW_OWNER: 'o' }).owner).toBe('o');
  });

  test('tells how it is on a socket of its data directory, or on a port', () => {
    expect(parse({}).operations).toEqual({ socket: operationsSocket('/data', 'persistence') });
    expect(parse({ METERFLOW_OPERATIONS_PORT: '9464' }).operations).toEqual({ host: '0.0.0.0', port: 9464 });
  });

  test('sends traces and metrics only where a collector is named, and a part of the traces', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
    expect(parse({}).otlp).toBeUndefined();
    expect(parse(endpoint).otlp).toEqual({ traceRatio: 0.05 });
    expect(parse({ ...endpoint, OTEL_TRACES_SAMPLER_ARG: '1' }).otlp).toEqual({ traceRatio: 1 });
    expect(parse({ ...endpoint, OTEL_SDK_DISABLED: 'true' }).otlp).toBeUndefined();
  });

  test.each([
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector', OTEL_TRACES_SAMPLER_ARG: '2' },
    { METERFLOW_OPERATIONS_PORT: '70000' },
  ])('does not start with %j', (environment) => {
    expect(() => parse(environment as unknown as Record<string, string>)).toThrow(ConfigurationError);
  });

  const google = {
    METERFLOW_PLATFORM: 'google',
    METERFLOW_GOOGLE_PROJECT: 'p',
    METERFLOW_BIGTABLE_INSTANCE: 'i',
    METERFLOW_REDIS_URLS: 'redis://r',
  };

  test('is told of Redis by redis:// and rediss:// alone: another protocol would not be encrypted as it says', () => {
    const urls = (text: string) => parse({ ...google, METERFLOW_REDIS_URLS: text }).platform;
    expect(urls('rediss://a,rediss://b')).toMatchObject({ redis: { urls: ['rediss://a', 'rediss://b'] } });
    expect(() => urls('https://user:geheim@a')).toThrow(/redis:\/\/ or rediss:\/\//);
    expect(() => urls('https://user:geheim@a')).not.toThrow(/geheim/);
  });

  test('is told who signed the certificates of Redis; a file that is none, or of no use, is named', () => {
    const tls = { ...google, METERFLOW_REDIS_URLS: 'rediss://[::1]:6380' };
    expect(parse({ ...tls, METERFLOW_REDIS_CA_FILE: '/ca.pem' }).platform).toMatchObject({
      redis: { urls: ['rediss://[::1]:6380'], certificateAuthority: files['/ca.pem'] },
    });
    expect(() => parse({ ...tls, METERFLOW_REDIS_CA_FILE: '/platform.json' })).toThrow(/holds no certificate/);
    expect(() => parse({ ...tls, METERFLOW_REDIS_CA_FILE: '/nowhere' })).toThrow(/REDIS_CA_FILE can't be read/);
    expect(() => parse({ ...google, METERFLOW_REDIS_CA_FILE: '/ca.pem' })).toThrow(/of no use without rediss/);
    expect(() => parse({ ...google, METERFLOW_REDIS_URLS: 'rediss://a,redis://b' })).toThrow(/all rediss/);
  });

  test('serves the lanes of the platform file, with its deadlines; some of them where it is told so', () => {
    const file = { ...google, METERFLOW_PLATFORM_FILE: '/platform.json' };
    expect(parse(file)).toMatchObject({
      lanes: ['live', 'night'],
      platform: { pubsub: { ackDeadlineMs: 90_000 }, bigtable: { tablePrefix: '' } },
    });
    expect(parse({ ...file, METERFLOW_LANES: 'night' }).lanes).toEqual(['night']);
    expect(() => parse({ ...file, METERFLOW_LANES: 'bulk' })).toThrow(/no lane "bulk", only live, night/);
    expect(parse(google).lanes).toEqual(['live', 'bulk']);
  });

  test('names every problem at once, of variables, platform, file and telemetry', () => {
    const wrong = {
      METERFLOW_DRAIN_MS: 'x',
      METERFLOW_PLATFORM_FILE: '/nowhere.json',
      METERFLOW_REDIS_CLUSTER: 'true',
      METERFLOW_TYPO: '1',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector',
    };
    const said = ((): string => {
      try {
        parse(wrong);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    })();
    for (const problem of [
      /METERFLOW_DRAIN_MS/,
      /METERFLOW_PLATFORM_FILE can't be read: no such file/,
      /METERFLOW_REDIS_CLUSTER is of no use/,
      /METERFLOW_TYPO/,
      /OTEL_EXPORTER_OTLP_ENDPOINT/,
    ]) {
      expect(said).toMatch(problem);
    }
  });
});
