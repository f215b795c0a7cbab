import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commandIn, newDataDir, startTestServer } from './testing/test-server.ts';

interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { key: string; value: Readonly<Record<string, unknown>> }[];
}

interface SentTraces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[] }[];
}

const place = newDataDir();
const spans: SentSpan[] = [];
const metrics: string[] = [];
let collector: Server;

beforeAll(async () => {
  collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
    request.on('end', () => {
      if (request.url === '/v1/traces') {
        const { resourceSpans } = JSON.parse(body) as SentTraces;
        spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      } else {
        metrics.push(body);
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => {
    collector.listen(0, '127.0.0.1', resolve);
  });
  const { port } = collector.address() as AddressInfo;
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${port}`);
  vi.stubEnv('OTEL_TRACES_SAMPLER_ARG', '1');
});

afterAll(() => {
  vi.unstubAllEnvs();
  collector.closeAllConnections();
  collector.close();
  place.remove();
});

test('one trace follows a batch from the lines of its file through every stage to its aggregates', async () => {
  const server = await startTestServer(place.dataDir);
  const file = join(dirname(place.dataDir), 'acme.csv');
  const lines = Array.from(
    { length: 24 },
    (_, hour) => `m,import,2024-01-01T${String(hour).padStart(2, '0')}:00:00Z,1,kWh`,
  );
  writeFileSync(file, ['meter_id,channel,start,value,unit', ...lines].join('\n'));
  await commandIn(place.dataDir, ['tenants', 'create', 'acme']);
  await commandIn(place.dataDir, ['import', file, '--tenant', 'acme', '--json']);
  await server.stop();

  const root = spans.find(({ name }) => name === 'ingest');
  const told = Object.fromEntries((root?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
  expect(told).toMatchObject({ tenant: 'acme', firstLine: 2, lastLine: 25, readings: 24 });
  const trace = spans.filter(({ traceId }) => traceId === root?.traceId);
  const nameOf = (id: string | undefined): string => trace.find(({ spanId }) => spanId === id)?.name ?? '';
  const steps = trace.map(({ name, parentSpanId }) => `${nameOf(parentSpanId)} > ${name}`);
  expect(new Set(steps)).toEqual(
    new Set([
      ' > ingest',
      'ingest > persistence-raw',
      'persistence-raw > series-flows',
      'ingest > rule-execution',
      'rule-execution > persistence-validated',
      'persistence-validated > aggregation',
      'aggregation > persistence-aggregates',
      'persistence-aggregates > aggregation-months',
      'aggregation-months > persistence-aggregates',
    ]),
  );
  expect(metrics.join()).toContain('service_drain_duration_ms');
}, 60_000);
