import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { milliValue } from '@meterflow/scaling';
import { hasControlPlane, startControlPlane, type ControlPlane } from '@meterflow/scaling/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { k8sFolder } from './k8s-folder.ts';
import { ToldPodMetrics } from './testing/told-pod-metrics.ts';

const isFull = process.env['METERFLOW_FULL'] === 'true';
const port = 18_543;
const settings = { WITH: 'vpa-recommender', WITHOUT: 'scripted-metrics' };
const startMsMax = 1_800_000;
const [testMsMax, waitMsMax] = [900_000, 240_000];
const name = 'rule-execution-live';
const namespace = 'sized';
/** What the recommender puts on top of the use, and then rounds up in steps of a twentieth. */
const [margin, rounding] = [1.15, 1.06];

interface Allocated {
  readonly cpu: string;
  readonly memory: string;
}

/** VPA's own recommender over our object, with pods that nobody runs and a metrics server that says what it is told. */
describe.skipIf(!isFull || !hasControlPlane)('the vertical autoscaler [needs full] [needs shared]', () => {
  let plane: ControlPlane;
  let metrics: ToldPodMetrics;

  beforeAll(async () => {
    plane = startControlPlane({ port, startMsMax, settings });
    const pki = join(dirname(plane.kubeconfig), 'pki');
    const [cert, key] = ['crt', 'key'].map((end) => readFileSync(join(pki, `scripted-metrics.${end}`)));
    metrics = await ToldPodMetrics.listen({ namespace, cert: cert as Buffer, key: key as Buffer });
  }, startMsMax);
  afterAll(() => {
    metrics.close();
    plane.stop();
  });

  function kubectl(words: readonly string[], input = ''): string {
    const all = ['--kubeconfig', plane.kubeconfig, ...words];
    return execFileSync('kubectl', all, { input, encoding: 'utf8', timeout: 60_000 });
  }

  function apply(manifest: string): void {
    kubectl(['apply', '--server-side', '--validate=strict', '-n', namespace, '-f', '-'], manifest);
  }

  const get = (what: readonly string[], path: string): string =>
    kubectl(['get', ...what, '-n', namespace, '-o', `jsonpath={${path}}`]);
  const recommendation = (path: string): string =>
    get(['vpa', name], `.status.recommendation.containerRecommendations${path}`);
  const sized = (): string => recommendation('[*].containerName');
  const target = (): Allocated => JSON.parse(recommendation('[0].target')) as Allocated;
  const targetIs = (expected: Allocated): Promise<void> =>
    expect.poll(() => inNumbers(target()), { timeout: waitMsMax, interval: 2_000 }).toEqual(inNumbers(expected));

  function use(used: Allocated): void {
    metrics.uses = get(['pods'], '.items[*].metadata.name')
      .split(' ')
      .flatMap((pod) => [
        { pod, container: 'rule-execution', ...used },
        { pod, container: 'sandbox', cpu: '900m', memory: '900Mi' },
      ]);
  }

  test(
    'sizes a stage by its use, within the bounds that our object names, and leaves the sandbox alone',
    async () => {
      kubectl(['create', 'namespace', namespace]);
      apply(JSON.stringify(deployment));
      apply(readFileSync(join(k8sFolder, `components/fixed-replicas-vpa/scalers/${name}.yaml`), 'utf8'));

      // 1. Nobody tells of any use: the least that there may be.
      await expect.poll(sized, { timeout: waitMsMax, interval: 2_000 }).toBe('rule-execution');
      await targetIs({ cpu: '100m', memory: '256Mi' });

      // 2. The use and a margin.
      const used = { cpu: '600m', memory: '700Mi' };
      use(used);
      kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: metrics.manifests }));
      const factors = (): number[] => inNumbers(target()).map((value, i) => value / (inNumbers(used)[i] ?? 0));
      const isAbove = (factor: number): boolean => factor >= margin && factor <= margin * rounding;
      await expect.poll(() => factors().every(isAbove), { timeout: waitMsMax, interval: 2_000 }).toBe(true);
      process.stdout.write(`for ${JSON.stringify(used)} it recommends ${JSON.stringify(target())}\n`);

      // 3. However much it uses: no more than there may be.
      use({ cpu: '6', memory: '6Gi' });
      await targetIs({ cpu: '4', memory: '4Gi' });
      expect(sized()).toBe('rule-execution');
    },
    testMsMax,
  );
});

const labels = { app: name };
const containers = ['rule-execution', 'sandbox'].map((of) => ({ name: of, image: 'stage:0' }));
const pod = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers } };
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { replicas: 2, selector: { matchLabels: labels }, template: pod },
};

const inNumbers = ({ cpu, memory }: Allocated): number[] => [milliValue(cpu), milliValue(memory)];
