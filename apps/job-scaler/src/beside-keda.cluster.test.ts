import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BatchV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { hasControlPlane, startControlPlane, type ControlPlane } from '@meterflow/scaling/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SimulatedWorkers } from './testing/simulated-workers.ts';
import { ToldPrometheus } from './testing/told-prometheus.ts';

const isFull = process.env['METERFLOW_FULL'] === 'true';
const components = fileURLToPath(new URL('../../../k8s/components/', import.meta.url));
const port = 18_443;
const settings = { WITH: 'keda-operator keda-adapter', WITHOUT: 'scripted-metrics' };
/** KEDA's operator alone takes ten minutes to build, and an hour on a machine that has other work. */
const startMsMax = 5_400_000;
const testMsMax = 1_800_000;
/** The same as in the long form of the job scaler's own test. */
const [lagSeconds, idleSeconds] = [180, 60];
const target = { messages: 100, jobsMax: 6 };
const stepMs = 500;

/** What KEDA's own controllers make of what our manifests say to them. */
describe.skipIf(!isFull || !hasControlPlane)('beside the job scaler [needs full] [needs shared]', () => {
  let plane: ControlPlane;
  let prometheus: ToldPrometheus;

  beforeAll(async () => {
    prometheus = await ToldPrometheus.listen();
    plane = startControlPlane({ port, startMsMax, settings });
  }, startMsMax);
  afterAll(() => {
    prometheus.close();
    plane.stop();
  });

  function kubectl(words: readonly string[], input = ''): string {
    const all = ['--kubeconfig', plane.kubeconfig, ...words];
    return execFileSync('kubectl', all, { input, encoding: 'utf8', timeout: 60_000 });
  }

  const inNamespace = (namespace: string) => {
    kubectl(['create', 'namespace', namespace]);
    const apply = (manifest: string | object): void => {
      const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
      kubectl(['apply', '--server-side', '--validate=strict', '-n', namespace, '-f', '-'], text);
    };
    const get = (what: string, path: string): string => {
      const output = `jsonpath={${path}}`;
      return kubectl(['get', ...what.split('/'), '-n', namespace, '-o', output]);
    };
    return { apply, get };
  };

  const manifestOf = (path: string): string =>
    readFileSync(join(components, path), 'utf8').replaceAll('http://prometheus.monitoring.svc:9090', prometheus.url);

  test(
    'KEDA’s ScaledObject goes up by the backlog, takes nothing away while nobody answers, and comes down again',
    async () => {
      const { apply, get } = inNamespace('scaled-object');
      // Ten times as fast: what is asked each half minute there is asked each three seconds here.
      const manifest = manifestOf('autoscaling-keda/scalers/persistence-live.yaml')
        .replace('pollingInterval: 30', 'pollingInterval: 3')
        .replaceAll('periodSeconds: 60', 'periodSeconds: 6')
        .replace('stabilizationWindowSeconds: 300', 'stabilizationWindowSeconds: 30');
      const [min, each] = [2, 1_800];
      const replicas = (): number => Number(get('deployment/persistence-live', '.spec.replicas'));
      const reach = (wanted: number): Promise<void> =>
        expect.poll(replicas, { timeout: 180_000, interval: 1_000 }).toBe(wanted);

      prometheus.valueOf = () => 0;
      apply(deploymentOf('persistence-live', 1));
      apply(manifest);
      await reach(min);
      prometheus.valueOf = (query) => (/backlog_messages.*persistence-raw/.test(query) ? 5 * each - 1 : 0);
      await reach(5);
      prometheus.valueOf = () => undefined;
      await sleep(60_000);
      expect(replicas()).toBe(5);
      prometheus.valueOf = () => 0;
      await reach(min);
      // Two metrics for each of its three subscriptions.
      expect(prometheus.asked.size).toBe(6);
    },
    testMsMax,
  );

  test(
    'KEDA’s ScaledJob does the same work and ends nobody who is busy, but starts Jobs for what a late metric still tells',
    async () => {
      const namespace = 'scaled-job';
      const { apply, get } = inNamespace(namespace);
      const cluster = new KubeConfig();
      cluster.loadFromFile(plane.kubeconfig);
      const workers = new SimulatedWorkers({
        core: cluster.makeApiClient(CoreV1Api),
        batch: cluster.makeApiClient(BatchV1Api),
        ...{ namespace, ratePerSecond: 2, idleMs: idleSeconds * 1_000 },
      });
      const ofVersion = (version: number): string =>
        manifestOf('queue-jobs/keda/persistence-bulk.yaml')
          .replace('pollingInterval: 30', 'pollingInterval: 5')
          .replace(/threshold: '\d+'/, `threshold: '${target.messages}'`)
          .replace(/maxReplicaCount: \d+/, `maxReplicaCount: ${target.jobsMax}`)
          .replace('template: {}', `template: ${JSON.stringify({ spec: nowhere(version) })}`);
      const goOn = async (until: () => boolean, secondsMax: number): Promise<void> => {
        for (const endMs = Date.now() + secondsMax * 1_000; !until() && Date.now() < endMs;) {
          await workers.step(Date.now(), target);
          await sleep(stepMs);
        }
      };

      // 1. Nobody answers: that is no backlog of 0, and none of many either.
      prometheus.valueOf = () => undefined;
      apply(ofVersion(1));
      const ready = (): string => get('scaledjob/persistence-bulk', '.status.conditions[?(@.type=="Ready")].status');
      await expect.poll(ready, { timeout: 60_000, interval: 1_000 }).toBe('False');
      expect(workers.jobs.size).toBe(0);

      // 2. Up by what waits; a new version does not end who is busy with the old one.
      prometheus.valueOf = () => workers.metric(lagSeconds * 1_000, Date.now()).backlog;
      workers.publish(350);
      await goOn(() => workers.running === 4, lagSeconds + 60);
      expect(workers.running).toBe(4);
      apply(ofVersion(2));
      await goOn(() => workers.unacked === 0, 300);
      const [did, seconds] = [workers.jobs.size, Date.now()];
      expect([workers.unacked, did]).toEqual([0, 4]);

      // 3. Down to zero; but until the metric has told of all of it, whoever ends for having nothing has a successor.
      const quietMs = seconds + (lagSeconds + idleSeconds + 60) * 1_000;
      await goOn(() => Date.now() > quietMs && workers.running === 0, lagSeconds + 3 * idleSeconds + 120);
      const phantoms = workers.jobs.size - did;
      process.stdout.write(`${workers.jobs.size} Jobs for what ${did} did: ${phantoms} for messages that were acked\n`);
      expect([workers.running, workers.unacked]).toEqual([0, 0]);
      expect(workers.faults.filter((fault) => !fault.includes('what waits asks for'))).toEqual([]);
      // Where none is left, the reason for a job scaler of our own is gone (docs/adr/0018).
      expect(phantoms).toBeGreaterThan(0);
    },
    testMsMax,
  );
});

function deploymentOf(name: string, replicas: number): object {
  const labels = { app: name };
  const pod = { terminationGracePeriodSeconds: 0, containers: [{ name: 'stage', image: 'stage:0' }] };
  const spec = { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
}

/** Pods that nobody runs: the test does. */
const nowhere = (version: number): object => ({
  restartPolicy: 'Never',
  nodeSelector: { 'meterflow/nowhere': 'true' },
  containers: [{ name: 'persistence', image: `stage:${version}` }],
});
