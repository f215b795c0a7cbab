import { describe, expect, test } from 'vitest';
import { ConfigurationError, operationsSocket, parseServiceConfig } from './index.ts';

const parse = (environment: Readonly<Record<string, string>>) =>
  parseServiceConfig({ METERFLOW_DATA_DIR: '/data', ...environment }, { service: 'persistence', pid: 7 });

describe('a service', () => {
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
});
