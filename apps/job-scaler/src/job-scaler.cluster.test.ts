import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BatchV1Api, CoordinationV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SimulatedWorkers } from './testing/simulated-workers.ts';

/** A cluster with the scripted metrics of the control plane (one port above its API), and whose owner minds no namespace more. */
const kubeconfig = process.env['KUBECONFIG'] ?? '';
const isFull = process.env['METERFLOW_FULL'] === 'true';
/** Minutes in the long form; the same in seconds otherwise. */
const [lagSeconds, idleSeconds] = isFull ? [180, 60] : [9, 3];
const namespace = `job-scaler-${randomBytes(3).toString('hex')}`;
const target = { messages: 100, jobsMax: 6 };
const stepMs = 300;
const leaderMsMax = 60_000;
const testMsMax = isFull ? 1_800_000 : 240_000;

const component = fileURLToPath(new URL('../../../k8s/components/queue-jobs/', import.meta.url));
const main = fileURLToPath(new URL('main.ts', import.meta.url));

function kubectl(words: readonly string[], input = ''): string {
  return execFileSync('kubectl', words, { input, encoding: 'utf8', timeout: 60_000 });
}

/** Nobody runs its pods: the test does. */
const template = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'stage', namespace },
  spec: {
    suspend: true,
    schedule: '0 0 1 1 *',
    jobTemplate: {
      spec: {
        backoffLimit: 6,
        template: {
          spec: {
            restartPolicy: 'Never',
            nodeSelector: { 'meterflow/nowhere': 'true' },
            containers: [{ name: 'stage', image: 'stage:0' }],
          },
        },
      },
    },
  },
};

/** What only these metrics need beside the component's own role. */
const metricsRole = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'external-metrics', namespace },
    rules: [{ apiGroups: ['external.metrics.k8s.io'], resources: ['*'], verbs: ['get', 'list'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'external-metrics', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'external-metrics' },
    subjects: [{ kind: 'ServiceAccount', name: 'job-scaler', namespace }],
  },
];

describe.skipIf(kubeconfig === '' || !existsSync(kubeconfig))('the job scaler [needs KUBECONFIG]', () => {
  const cluster = new KubeConfig();
  const folder = mkdtempSync(join(tmpdir(), 'job-scaler-'));
  const scalers: ChildProcess[] = [];
  const ports: number[] = [];
  let workers: SimulatedWorkers;

  beforeAll(() => {
    cluster.loadFromFile(kubeconfig);
    kubectl(['create', 'namespace', namespace]);
    for (const part of ['role', 'role-binding', 'service-account']) {
      const text = readFileSync(join(component, `job-scaler.${part}.yaml`), 'utf8');
      kubectl(
        ['apply', '--server-side', '--validate=strict', '-n', namespace, '-f', '-'],
        text.replaceAll('namespace: meterflow', `namespace: ${namespace}`),
      );
    }
    for (const object of [template, ...metricsRole]) {
      kubectl(['apply', '--server-side', '--validate=strict', '-f', '-'], JSON.stringify(object));
    }
    workers = new SimulatedWorkers({
      core: cluster.makeApiClient(CoreV1Api),
      batch: cluster.makeApiClient(BatchV1Api),
      namespace,
      ratePerSecond: isFull ? 2 : 30,
      idleMs: idleSeconds * 1_000,
    });
  }, 120_000);

  afterAll(() => {
    scalers.forEach((scaler) => scaler.kill('SIGKILL'));
    kubectl(['delete', 'namespace', namespace, '--wait=false']);
    rmSync(folder, { recursive: true });
  });

  /** With the rights of the component's service account, and no others. */
  async function start(): Promise<ChildProcess> {
    const token = kubectl(['create', 'token', 'job-scaler', '-n', namespace, '--duration=2h']).trim();
    const server = cluster.getCurrentCluster();
    const own = join(folder, `kubeconfig-${scalers.length}`);
    writeFileSync(own, ownKubeconfig(server, token));
    const file = join(folder, `job-scaler-${scalers.length}.json`);
    const operationsPort = await freePort();
    ports.push(operationsPort);
    const settings = {
      namespace,
      metrics: { kind: 'external-metrics' },
      metricLagSeconds: lagSeconds,
      periodSeconds: 1,
      operationsPort,
      workers: [
        { name: 'stage', backlog: 'backlog', acked: 'acked', targetMessages: target.messages, jobsMax: target.jobsMax },
      ],
    };
    writeFileSync(file, JSON.stringify(settings));
    const scaler = spawn(process.execPath, [main, '--config', file], {
      env: { PATH: process.env['PATH'], KUBECONFIG: own },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    scalers.push(scaler);
    return scaler;
  }

  function ownKubeconfig(server: ReturnType<KubeConfig['getCurrentCluster']>, token: string): string {
    const { server: url, caData, caFile } = server ?? { server: '' };
    const ca = caData === undefined ? { 'certificate-authority': caFile } : { 'certificate-authority-data': caData };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'it', cluster: { server: url, ...ca } }],
      users: [{ name: 'scaler', user: { token } }],
      contexts: [{ name: 'it', context: { cluster: 'it', user: 'scaler' } }],
      'current-context': 'it',
    });
  }

  /** What the metrics API says from now on. */
  async function tell(): Promise<void> {
    const { backlog, acked } = workers.metric(lagSeconds * 1_000, Date.now());
    const url = new URL(cluster.getCurrentCluster()?.server ?? '');
    const put = request({
      host: url.hostname,
      port: Number(url.port) + 1,
      path: '/values',
      method: 'PUT',
      rejectUnauthorized: false,
    });
    put.end(JSON.stringify({ [`${namespace}/backlog`]: backlog, [`${namespace}/acked`]: acked }));
    const [response] = (await once(put, 'response')) as [{ statusCode: number; resume: () => void }];
    response.resume();
    expect(response.statusCode).toBe(200);
  }

  /** Until it holds; the world goes on meanwhile. */
  async function goOn(until: () => boolean, secondsMax: number): Promise<void> {
    const endMs = Date.now() + secondsMax * 1_000;
    while (!until() && Date.now() < endMs) {
      await workers.step(Date.now(), target);
      await tell();
      await sleep(stepMs);
    }
    expect(workers.faults).toEqual([]);
  }

  /** So long that every metric of before has been seen. */
  const lagPassed = async (): Promise<void> => {
    const endMs = Date.now() + (lagSeconds + 5) * 1_000;
    await goOn(() => Date.now() >= endMs, lagSeconds + 10);
  };
  const someSeconds = lagSeconds + 30;

  test(
    'goes up by what waits and down to zero, ends nobody who is busy, and starts no phantom',
    async () => {
      await goOn(() => false, 1);
      const first = await start();
      const second = await start();

      // 1. Up: as many as what waits asks for, once the metric says so.
      workers.publish(350);
      await goOn(() => workers.running === 4, someSeconds + 60);
      expect(workers.running).toBe(4);
      // 2. To zero, while the metric still tells of all of it, for as long as it is late; and nobody starts again.
      await goOn(() => workers.running === 0, someSeconds + idleSeconds + 600);
      expect([workers.running, workers.unacked]).toEqual([0, 0]);
      await lagPassed();
      expect(workers.jobs.size).toBe(4);

      // 3. More than there may be Jobs for; in the middle of it whoever leads is killed, and the other goes on.
      workers.publish(5 * target.messages);
      await goOn(() => workers.running > 0, someSeconds);
      (await leaderOf(first, second)).kill('SIGKILL');
      workers.publish(40 * target.messages);
      await goOn(() => workers.running === target.jobsMax, someSeconds);
      expect(workers.running).toBe(target.jobsMax);
      await goOn(() => workers.running === 0, 900);
      await lagPassed();
      expect([workers.running, workers.unacked, workers.busiest]).toEqual([0, 0, target.jobsMax]);
    },
    testMsMax * 2,
  );

  test('ends with 0 on SIGTERM, and leaves its lease to another at once', async () => {
    const alive = scalers.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    expect(alive).toHaveLength(1);
    const ended = once(alive[0] as ChildProcess, 'exit');
    alive[0]?.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    const lease = await cluster.makeApiClient(CoordinationV1Api).readNamespacedLease({ namespace, name: 'job-scaler' });
    expect(lease.spec?.holderIdentity ?? '').toBe('');
  }, 60_000);

  /** By whose metrics say so; one whose lease ran out while the machine was busy says it until it has looked again. */
  async function leaderOf(first: ChildProcess, second: ChildProcess): Promise<ChildProcess> {
    let leads: readonly boolean[] = [];
    const leading = async (): Promise<number> => {
      leads = await Promise.all(ports.map((port) => saysThatItLeads(port)));
      return leads.filter(Boolean).length;
    };
    await expect.poll(leading, { timeout: leaderMsMax, interval: stepMs }).toBe(1);
    return leads[0] === true ? first : second;
  }
});

async function saysThatItLeads(port: number): Promise<boolean> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return /^job_scaler_leads_now\S* 1$/m.test(text);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
