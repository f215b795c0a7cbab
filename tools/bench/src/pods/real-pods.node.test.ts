import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { topicName } from '@meterflow/contracts';
import type { Receipt } from '@meterflow/receipts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { activatePeersRule } from '../peers-rule.ts';
import { swissReadings } from '../repository.ts';
import { completed, endOf } from '../rolling/load-end.ts';
import { SteadyLoad } from '../rolling/steady-load.ts';
import { deletePods, outOfMemory, rollEvery, runningPods, scaleUpAndDown, type Disturbance } from './disturbances.ts';
import { imageContents } from './image-contents.ts';
import { confinementOf, connecting, inContainer, writing } from './inspect-sandbox.ts';
import { LocalOverlay, stageDeployments, type Pod } from './local-overlay.ts';
import { podMetric } from './pod-metrics.ts';
import { nodeAddress } from './real-node.ts';
import { scaledOnBacklog } from './scaled-on-backlog.ts';
import { storeFile } from './store-file.ts';

const isFull = process.env['METERFLOW_FULL'] === 'true';
const upMsMax = 1_300_000;
const phaseMsMax = isFull ? 5_400_000 : 900_000;
const pace = { pushesPerSecond: 2, metersPerPush: 100 };
const warmUpMs = 5_000;
/** Of the Swiss file, in the short form. */
const readingsMax = isFull ? undefined : 500_000;

const megabytesMax = 250;
/** A Deployment of each service, and its container. */
const ours = {
  ingest: 'ingest',
  control: 'control',
  'rule-execution-live': 'rule-execution',
  'persistence-live': 'persistence',
  'aggregation-live': 'aggregation',
};

const hostile = `import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'hostile',
  onReading() {
    new Array(2 ** 27).fill(0);
  },
});
`;

describe.skipIf(nodeAddress === undefined)('real pods of the local overlay [needs real-node]', () => {
  let local: LocalOverlay;
  beforeAll(async () => {
    local = await LocalOverlay.up();
    await activatePeersRule(local.platform.registry);
    tell({ readySeconds: Math.round(local.startedMs / 1_000) });
  }, upMsMax);
  afterAll(async () => {
    await local.close();
  });

  test(
    'lose, double and handle nothing twice, and refuse no push, while they are updated, scaled and deleted',
    async () => {
      // As everywhere but on one machine: a single pod that is deleted leaves its Service without any for a while.
      await local.scale(['ingest'], 2);
      const load = new SteadyLoad(local.push, pace);
      await sleep(warmUpMs);
      const done: Disturbance[] = [];
      for (const disturb of [
        () => rollEvery(local),
        () => scaleUpAndDown(local, ['rule-execution-live', 'persistence-live', 'aggregation-live']),
        () => deletePods(local, { times: isFull ? 40 : 6, everyMs: 4_000 }),
      ]) {
        const failed = load.sentAgain;
        done.push(...(await disturb()));
        tell({ failedPushes: load.sentAgain - failed, failures: local.failures });
      }
      const { receipts, ...end } = await endOf(local, await load.stop());
      tell({ ...end, pushes: receipts.length, done });
      await local.scale(stageDeployments, 1);
      expect(end.problems).toEqual([]);
      expect(local.failures).toEqual([]);
    },
    phaseMsMax,
  );

  test(
    'lose and double nothing when the kernel ends one for its memory',
    async () => {
      const load = new SteadyLoad(local.push, pace);
      await sleep(warmUpMs);
      const ended = await outOfMemory(local, 'persistence-live', 'persistence');
      tell({ ended });
      await sleep(warmUpMs);
      const pushes = await load.stop();
      await local.ready();
      const told = new Map((await completed(local)).map((receipt) => [receipt.sourceId, receipt]));
      const stored = pushes.map(({ sourceId }) => {
        const receipt = told.get(sourceId);
        return (receipt?.inserted ?? 0) + (receipt?.duplicates ?? 0);
      });
      // By SIGKILL; the reason (OOMKilled) reaches kubelet too late at times.
      expect(ended?.exitCode).toBe(137);
      expect(stored).toEqual(pushes.map(({ readings }) => readings));
      expect(load.sentAgain).toBe(0);
    },
    phaseMsMax,
  );

  if (isFull) {
    test(
      'become more by the backlog and its age, and fewer again when both are gone',
      async () => {
        const load = new SteadyLoad(local.push, { ...pace, pushesPerSecond: 6 });
        const seen = await scaledOnBacklog(local, load);
        tell({ scaled: seen });
        expect(load.pushes.length).toBeGreaterThan(100);
        expect(Math.max(...seen.map(({ replicas }) => replicas))).toBeGreaterThan(2);
        expect(seen.at(-1)?.replicas).toBe(1);
      },
      phaseMsMax,
    );
  }

  test(
    'of one tenant with a hostile rule harm no other, and no pod of theirs ends',
    async () => {
      await local.ask('POST', '/v1/tenants', { body: { name: 'mallory' } });
      const customer = await local.newKey('customer', 'mallory');
      const pushHostile = local.pushAs(await local.newKey('provider', 'mallory'));
      const rule = { entry: 'hostile.ts', files: { 'hostile.ts': hostile } };
      await local.ask('POST', '/v1/rules', { body: rule, apiKey: customer });
      const since = { from: '2020-01-01T00:00:00Z' };
      await local.ask('POST', '/v1/rules/hostile/activate', { body: since, apiKey: customer });
      const [pod] = (await runningPods(local, 'rule-execution-live')) as [Pod];
      const restarts = restartsOf(await local.pods());
      const load = new SteadyLoad(local.push, pace);
      for (let push = 0; push < 5; push += 1) {
        const reading = `M${push},import,2025-06-01T00:00:00Z,1.5,kWh`;
        const answer = await pushHostile(`meter_id,channel,start,value,unit\n${reading}\n`, `hostile-${push}`);
        expect(answer?.status).toBe(200);
        await sleep(2_000);
      }
      const pushes = await load.stop();
      const receipts = await completed(local);
      const sent = new Set(pushes.map(({ sourceId }) => sourceId));
      const slowest = Math.max(...receipts.filter(({ sourceId }) => sent.has(sourceId)).map(({ seconds }) => seconds));
      const incidents = await podMetric(pod, 'sandbox_incidents_total');
      tell({ incidents, slowestOfOthersSeconds: slowest });
      expect(incidents).toBeGreaterThan(0);
      expect(load.sentAgain).toBe(0);
      expect(restartsOf(await local.pods())).toEqual(restarts);
    },
    phaseMsMax,
  );

  test('come from images without shell, npm, compiler or sources, and run as nobody', async () => {
    const images = { ...ours, 'rule-execution-live/sandbox': 'sandbox' };
    for (const [of, container] of Object.entries(images)) {
      const [pod] = await runningPods(local, of.split('/')[0] as string);
      const { megabytes, ...contents } = await imageContents(pod, container);
      tell({ container, megabytes });
      // What uploaded rules are checked against, and compiled with.
      const sources = container === 'control' ? ['rule-sdk.ts'] : [];
      expect({ container, ...contents }).toEqual({
        container,
        uid: 65532,
        node: 'v24.21.0',
        tools: [],
        sources,
        hasBill: true,
      });
      expect(megabytes).toBeLessThan(megabytesMax);
    }
  }, 60_000);

  test('have a sandbox without network, token, privileges or a writable folder', async () => {
    const [pod] = (await runningPods(local, 'rule-execution-live')) as [Pod];
    const stage = await confinementOf(pod, 'rule-execution');
    const sandbox = await confinementOf(pod, 'sandbox');
    expect(sandbox).toMatchObject({
      uid: 65532,
      capabilities: '0000000000000000',
      noNewPrivileges: true,
      rootIsReadOnly: true,
      hasToken: false,
    });
    // Beside the filter that every container has, one of its own, under which its children are as well.
    expect(sandbox.filters).toBe(stage.filters + 1);
    const ofKubernetes = /^(PATH|HOSTNAME|HOME|NODE_ENV|SSL_CERT_FILE|KUBERNETES_.*)$/;
    expect(sandbox.environment.filter((name) => !ofKubernetes.test(name))).toEqual(['METERFLOW_SANDBOX_SOCKET']);
    expect(await inContainer(pod, 'sandbox', writing(['/', '/app', '/tmp', '/etc', '/dev']))).not.toContain('written');
    const redis = connecting('redis', 6379);
    // The pod's network is there, and taken from what runs as the sandbox does.
    expect(await inContainer(pod, 'sandbox', redis)).toBe('connected');
    const through = '/app/no-network';
    expect(await inContainer(pod, 'sandbox', [through, ...connecting('10.96.0.1', 443)])).toBe('EACCES');
    expect(await inContainer(pod, 'sandbox', [through, ...redis])).not.toBe('connected');
  });

  test(
    'take in what is published to the providers’ topic, once',
    async () => {
      const reading = (hour: number): string => `T1,import,2025-06-01T0${hour}:00:00Z,1.5,kWh\n`;
      const payload = Buffer.from(`meter_id,channel,start,value,unit\n${reading(0)}${reading(1)}${reading(2)}`);
      const attributes = { tenant: 'default', 'content-type': 'text/csv', label: 'published' };
      await local.platform.publisher.publish([{ topic: topicName('readings.pushed', 'live'), payload, attributes }]);
      const published = async (): Promise<readonly Receipt[]> =>
        (await local.platform.sources.list('default', { limit: 10 })).filter(({ label }) => label === 'published');
      await expect
        .poll(published, { timeout: 60_000, interval: 1_000 })
        .toMatchObject([{ state: 'complete', received: 3, inserted: 3 }]);
    },
    phaseMsMax,
  );

  test.skipIf(!existsSync(swissReadings))(
    'store a file of Swiss households with every count and sum exact [needs shared]',
    async () => {
      const stored = await storeFile(local, swissReadings, readingsMax);
      tell(stored);
      expect(stored.problems).toEqual([]);
    },
    phaseMsMax,
  );
});

/** How often each container of ours was started again. */
function restartsOf(pods: readonly Pod[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    pods.flatMap(({ metadata, status }) =>
      (status.containerStatuses ?? []).map(({ name, restartCount }) => [`${metadata.name}/${name}`, restartCount]),
    ),
  );
}

/** What was measured, for docs/benchmarks.md. */
function tell(measured: object): void {
  process.stdout.write(`${JSON.stringify(measured, undefined, 2)}\n`);
}
