import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTelemetry, type ProcessTelemetry } from '../index.ts';
import { spanContextOf, traceparentOf } from './trace-context.ts';

interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { key: string; value: object }[];
  readonly links: readonly { traceId: string }[];
  readonly status: { code: number; message?: string };
}

/** What a collector is sent, by path. */
let sent: Map<string, Record<string, unknown>[]>;
let collector: Server;
let status: number;
let stop: () => Promise<void>;

beforeEach(async () => {
  sent = new Map();
  status = 200;
  collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
    request.on('end', () => {
      const path = request.url ?? '';
      sent.set(path, [...(sent.get(path) ?? []), JSON.parse(body) as Record<string, unknown>]);
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(collector.address() as AddressInfo).port}`);
  stop = () =>
    new Promise((resolve) => {
      collector.close(() => {
        resolve();
      });
    });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  collector.closeAllConnections();
  await stop();
});

async function open(traceRatio = 1): Promise<ProcessTelemetry> {
  const stream = { write: () => undefined };
  const telemetry = createTelemetry({ service: 'ingest', level: 'error', stream, otlp: { traceRatio } });
  // Spans that come before it is loaded go nowhere.
  await import('./open-otlp.ts');
  await new Promise((resolve) => setImmediate(resolve));
  return telemetry;
}

function spans(): SentSpan[] {
  return (sent.get('/v1/traces') ?? []).flatMap((request) =>
    (request as { resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[] }).resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans: some }) => some),
    ),
  );
}

describe('a collector', () => {
  test('is sent one trace of what goes on from process to process', async () => {
    const telemetry = await open();
    const root = telemetry.startSpan('ingest', { attributes: { source: 's1', firstLine: 2, lastLine: 4001 } });
    const other = telemetry.startSpan('ingest');
    const next = telemetry.startSpan('persistence', {
      parent: root.traceparent ?? '',
      links: [other.traceparent ?? '', 'no trace'],
    });
    next.end(new Error('the store is down'));
    other.end();
    root.end();
    await telemetry.close();
    const [nextSpan, otherSpan, rootSpan] = spans();
    expect(rootSpan).toMatchObject({ name: 'ingest' });
    expect(rootSpan?.attributes).toContainEqual({ key: 'lastLine', value: { intValue: 4001 } });
    expect(nextSpan).toMatchObject({
      name: 'persistence',
      traceId: rootSpan?.traceId,
      parentSpanId: rootSpan?.spanId,
      links: [{ traceId: otherSpan?.traceId }],
      status: { code: 2, message: 'the store is down' },
    });
    expect(next.traceparent).toBe(`00-${nextSpan?.traceId}-${nextSpan?.spanId}-01`);
  });

  test('is sent what is counted, each number once', async () => {
    const telemetry = await open();
    telemetry.count('stage_messages_settled_total', 3, { stage: 's' });
    telemetry.observe('stage_handle_ms', 7);
    telemetry.observe('stage_handle_ms', 1e9);
    telemetry.onCollect(() => {
      telemetry.gauge('bus_backlog_messages', 9);
    });
    await telemetry.close();
    const text = JSON.stringify(sent.get('/v1/metrics')?.at(-1));
    expect(text).toContain('"service.name","value":{"stringValue":"ingest"}');
    expect(text).toMatch(/"service\.instance\.id","value":\{"stringValue":"[0-9a-f-]{36}"\}/);
    expect(text).toMatch(/"name":"stage_messages_settled_total".{0,80}"sum":\{.{0,400}"asDouble":3/);
    expect(text).toMatch(/"name":"bus_backlog_messages".{0,80}"gauge":\{.{0,400}"asDouble":9/);
    expect(text).toMatch(
      /"name":"stage_handle_ms".{0,400}"bucketCounts":\[0,0,0,1,[0,]*1\].{0,200}"count":2,"sum":1000000007/,
    );
  });

  test('is sent only the part of the traces that is asked for, each whole or not at all', async () => {
    const telemetry = await open(0);
    const root = telemetry.startSpan('ingest');
    expect(root.traceparent).toBeUndefined();
    const traced = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const next = telemetry.startSpan('persistence', { parent: traced });
    expect(next.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    next.end();
    root.end();
    await telemetry.close();
    expect(spans().map(({ name }) => name)).toEqual(['persistence']);
  });

  test('that refuses or is gone costs a count, no work and no long end', async () => {
    status = 400;
    const refused = await open();
    refused.startSpan('ingest').end();
    await refused.close();
    expect(refused.renderMetrics()).toMatch(/telemetry_exports_failed_total [1-9]/);
    const gone = await open();
    collector.closeAllConnections();
    await stop();
    gone.startSpan('ingest').end();
    const fromMs = performance.now();
    await gone.close();
    expect(performance.now() - fromMs).toBeLessThan(4_000);
    stop = () => Promise.resolve();
  });
});

test('without a collector nothing is traced', () => {
  const telemetry = createTelemetry({ service: 'x', level: 'error' });
  expect(telemetry.startSpan('a').traceparent).toBeUndefined();
});

describe('a trace context', () => {
  test('is read as it was written', () => {
    const text = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const context = spanContextOf(text);
    expect(context).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', traceFlags: 1 });
    expect(context && traceparentOf(context)).toBe(text);
  });

  test.each(['', 'junk', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`])(
    '%j is none',
    (text) => {
      expect(spanContextOf(text)).toBeUndefined();
    },
  );
});
