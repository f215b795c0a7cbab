import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { silentTelemetry } from '@meterflow/stage';
import { afterEach, describe, expect, test } from 'vitest';
import type { BacklogMetrics } from './backlog-metrics.ts';
import { externalMetrics } from './external-metrics.ts';
import { parseJobScalerConfig } from './job-scaler-config.ts';
import { prometheusMetrics } from './prometheus-metrics.ts';
import { scalingPass } from './scaling-pass.ts';
import type { WorkerCluster, WorkerJobs } from './worker-jobs.ts';

const shipped = fileURLToPath(new URL('../../../k8s/components/queue-jobs/workers/job-scaler.json', import.meta.url));
const worker = { name: 'persistence-bulk', backlog: 'b', acked: 'a', targetMessages: 100, jobsMax: 4 };
const servers: Server[] = [];

afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
});

/** Answers as Prometheus does, and keeps what it was asked. */
async function prometheus(answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => (body += bytes.toString()));
    request.on('end', () => {
      const query = new URLSearchParams(body).get('query') ?? '';
      asked.push(query);
      const value = Object.hasOwn(answers, query) ? answers[query] : undefined;
      const result = value === undefined ? [] : [{ metric: {}, value: [1_000, value] }];
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

class Cluster implements WorkerCluster {
  readonly started: string[] = [];
  state: WorkerJobs = { running: 0, lastIdleAtMs: undefined };
  fails = false;

  jobs(): Promise<WorkerJobs> {
    return this.fails ? Promise.reject(new Error('down')) : Promise.resolve(this.state);
  }

  start(_: string, name: string): Promise<void> {
    this.started.push(name);
    return Promise.resolve();
  }
}

const metricsOf = (messages: number, ackedMessages = 0): BacklogMetrics => ({
  read: () => Promise.resolve({ messages, ackedMessages, takenAtMs: 60_000 }),
});

describe('a pass', () => {
  test('starts what is lacking, under names that follow from what was seen', async () => {
    const cluster = new Cluster();
    cluster.state = { running: 1, lastIdleAtMs: undefined };
    const ports = { cluster, metrics: metricsOf(300), telemetry: silentTelemetry };
    await scalingPass([worker], ports);
    expect(cluster.started).toEqual(['persistence-bulk-60-1', 'persistence-bulk-60-2']);
  });

  test('starts nobody for what was acked since, nor by a metric from before a worker found nothing', async () => {
    const cluster = new Cluster();
    await scalingPass([worker], { cluster, metrics: metricsOf(300, 300), telemetry: silentTelemetry });
    cluster.state = { running: 0, lastIdleAtMs: 60_000 };
    await scalingPass([worker], { cluster, metrics: metricsOf(300), telemetry: silentTelemetry });
    expect(cluster.started).toEqual([]);
  });

  test('starts nobody whose metrics or Jobs can not be had, and looks at the others all the same', async () => {
    const cluster = new Cluster();
    const broken = { ...worker, name: 'broken', backlog: 'none' };
    const metrics: BacklogMetrics = {
      read: ({ backlog }) =>
        backlog === 'none' ? Promise.reject(new Error('no metric')) : metricsOf(100).read({ backlog, acked: '' }),
    };
    await scalingPass([broken, worker], { cluster, metrics, telemetry: silentTelemetry });
    cluster.fails = true;
    await scalingPass([worker], { cluster, metrics, telemetry: silentTelemetry });
    expect(cluster.started).toEqual(['persistence-bulk-60-0']);
  });
});

describe('metrics', () => {
  test('of Prometheus are asked for with the time that they are late', async () => {
    const { url, asked } = await prometheus({ waits: '120', 'acked[240s]': '-3' });
    const metrics = prometheusMetrics({ url, lagMs: 240_000, nowMs: () => 1_000_000 });
    const read = await metrics.read({ backlog: 'waits', acked: 'acked[$window]' });
    expect(read).toEqual({ messages: 120, ackedMessages: 0, takenAtMs: 760_000 });
    expect(asked.toSorted()).toEqual(['acked[240s]', 'waits']);
  });

  test.each([[{}], [{ waits: 'NaN', acked: '1' }], [{ waits: 'many', acked: '1' }]])(
    'of Prometheus that are no numbers are refused: %j',
    async (answers) => {
      const { url } = await prometheus(answers);
      const metrics = prometheusMetrics({ url, lagMs: 0, nowMs: () => 0 });
      await expect(metrics.read({ backlog: 'waits', acked: 'acked' })).rejects.toThrow('no number');
    },
  );

  test('of the cluster are added up over their series, as old as the oldest', async () => {
    const asked: unknown[] = [];
    const timestamp = '2026-11-21T00:01:00Z';
    const api = {
      listNamespacedCustomObject: (request: unknown) => {
        asked.push(request);
        return Promise.resolve({
          items: [
            { timestamp, value: '1500m' },
            { timestamp: '2026-11-21T00:02:00Z', value: '1k' },
          ],
        });
      },
    };
    const metrics = externalMetrics({ api, namespace: 'meterflow', lagMs: 60_000 });
    expect(await metrics.read({ backlog: 'backlog{lane=bulk}', acked: 'acked' })).toEqual({
      messages: 1_001.5,
      ackedMessages: 1_001.5,
      takenAtMs: Date.parse('2026-11-21T00:00:00Z'),
    });
    const common = { group: 'external.metrics.k8s.io', version: 'v1beta1', namespace: 'meterflow' };
    expect(asked).toEqual([
      { ...common, plural: 'backlog', labelSelector: 'lane=bulk' },
      { ...common, plural: 'acked' },
    ]);
  });
});

describe('the configuration', () => {
  const config = { metrics: { kind: 'external-metrics' }, workers: [worker] };

  test('that the component brings fits', () => {
    expect(parseJobScalerConfig(readFileSync(shipped, 'utf8')).workers.map(({ name }) => name)).toEqual([
      'rule-execution-bulk',
      'aggregation-bulk',
      'persistence-bulk',
    ]);
  });

  test.each([
    ['{', 'no JSON'],
    [JSON.stringify({ ...config, period: 1 }), 'period'],
    [JSON.stringify({ ...config, workers: [] }), 'workers'],
    [JSON.stringify({ ...config, workers: [worker, worker] }), 'distinct'],
    [JSON.stringify({ ...config, workers: [{ ...worker, name: 'Not a name' }] }), 'name of Kubernetes'],
    [JSON.stringify({ ...config, metrics: { kind: 'prometheus', url: 'file:///etc/passwd' } }), 'metrics.url'],
  ])('%s is refused with what is wrong', (text, message) => {
    expect(() => parseJobScalerConfig(text)).toThrow(message);
  });
});

describe('the command', () => {
  test.each([
    [['--help'], 0, 'usage: job-scaler'],
    [['--config', shipped, '--validate'], 0, 'the configuration fits'],
    [[], 2, '--config FILE is missing'],
    [['--config', '/nowhere'], 2, "/nowhere can't be read"],
  ])(
    '%j ends with %i',
    async (words, expected, message) => {
      const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url)), ...words]);
      let said = '';
      child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
      child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
      const [code] = (await once(child, 'close')) as [number];
      expect([code, said]).toEqual([expected, expect.stringContaining(message)]);
      // The client of Kubernetes is large, and takes its time to load on a busy machine.
    },
    120_000,
  );
});
