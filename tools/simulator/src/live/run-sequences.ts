import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkDecisions, type CheckedDecisions, type MetricRead } from './check-decisions.ts';
import type { LiveSequence } from './live-sequences.ts';
import { ObservedCluster } from './observed-cluster.ts';

const label = 'meterflow/live=sequence';
const applyMsMax = 120_000;
const settleMs = 5_000;

export interface ToldCluster {
  readonly kubeconfig: string;
  /** Where the scripted metrics are told their values. */
  readonly metricsUrl: string;
}

/** Tells the controller all sequences side by side, as their steps say, and holds what it decided against the model. */
export async function runSequences(
  sequences: readonly LiveSequence[],
  seconds: number,
  { kubeconfig, metricsUrl }: ToldCluster,
): Promise<readonly CheckedDecisions[]> {
  const cluster = new ObservedCluster(kubeconfig, label);
  try {
    const apply = ['--kubeconfig', kubeconfig, 'apply', '--server-side', '--validate=strict', '-f', '-'];
    const put = (items: readonly object[]): string =>
      execFileSync('kubectl', apply, {
        input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
        encoding: 'utf8',
        timeout: applyMsMax,
      });
    put(sequences.flatMap((sequence) => [namespaceOf(sequence), deploymentOf(sequence)]));
    await sleep(settleMs);
    await tell(metricsUrl, sequences, 0);
    put(sequences.map(autoscalerOf));
    const fromMs = Date.now();
    for (const at of instantsOf(sequences, seconds)) {
      await sleep(Math.max(0, fromMs + at * 1_000 - Date.now()));
      await tell(metricsUrl, sequences, at);
    }
    await sleep(Math.max(0, fromMs + seconds * 1_000 - Date.now()));
    const reads = JSON.parse(await ask(`${metricsUrl}/reads`, 'GET')) as readonly MetricRead[];
    return sequences.map((sequence) => checkDecisions(sequence, reads, cluster));
  } finally {
    cluster.close();
  }
}

function instantsOf(sequences: readonly LiveSequence[], seconds: number): readonly number[] {
  const instants = sequences.flatMap(({ steps }) => steps.map(({ at }) => at));
  return [...new Set(instants)].filter((at) => at > 0 && at < seconds).sort((a, b) => a - b);
}

/** In thousandths, as the controller counts; what has no value fails. */
async function tell(metricsUrl: string, sequences: readonly LiveSequence[], at: number): Promise<void> {
  const values = sequences.flatMap(({ name, spec, steps }) => {
    const now = steps.findLast((step) => step.at <= at)?.values ?? {};
    return spec.metrics.map(({ external: { metric } }) => {
      const value = now[metric.name];
      return [`${name}/${metric.name}`, typeof value === 'number' ? `${Math.trunc(value * 1_000)}m` : null];
    });
  });
  await ask(`${metricsUrl}/values`, 'PUT', JSON.stringify(Object.fromEntries(values)));
}

/** The metrics server's certificate is of an authority of its own; it listens on loopback alone. */
async function ask(url: string, method: string, body = ''): Promise<string> {
  const asking = request(url, { method, rejectUnauthorized: false }).end(body);
  const [response] = (await once(asking, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  const answer = await text(response);
  if (response.statusCode !== 200) {
    throw new Error(`${method} ${url}: ${response.statusCode} ${answer}`);
  }
  return answer;
}

function namespaceOf({ name }: LiveSequence): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** Pods that nothing runs: the control plane's kwok makes them Ready. */
function deploymentOf({ name, replicas }: LiveSequence): object {
  const [key, value] = label.split('=') as [string, string];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'stage', namespace: name, labels: { [key]: value } },
    spec: {
      replicas,
      selector: { matchLabels: { [key]: value } },
      template: {
        metadata: { labels: { [key]: value } },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'stage', image: 'stage:0' }] },
      },
    },
  };
}

function autoscalerOf({ name, spec }: LiveSequence): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'stage', namespace: name },
    spec: { ...spec, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'stage' } },
  };
}
