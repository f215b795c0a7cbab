import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { completed } from '../rolling/load-end.ts';
import type { SteadyLoad } from '../rolling/steady-load.ts';
import { runningPods } from './disturbances.ts';
import { kubectl, kubectlJson } from './kubectl.ts';
import { namespace, type LocalOverlay } from './local-overlay.ts';
import { podMetric } from './pod-metrics.ts';

/** What the autoscaler saw and what it made of it, once a second. */
export interface ScaledMoment {
  readonly second: number;
  readonly backlog: number;
  readonly ageSeconds: number;
  readonly replicas: number;
}

const deployment = 'rule-execution-live';
const labels = { subscription_id: 'rule-execution.live' };
const replicasMax = 4;
const backlogEach = 40;
const nothing = { messages: 0, ageSeconds: 0 };
const ageSecondsEach = 5;
const waitSeconds = 25;
const secondsMax = 240;
const quietSeconds = 5;

/**
 * Stops a stage under load, so that messages wait, and lets it go on under a HorizontalPodAutoscaler that is fed with what the pods
 * tell: the backlog is what ingest answered less what they settled, its age that of the oldest push not settled. The load ends when
 * pods have become more. Resolves with what happened, when all is stored and one pod is left.
 */
export async function scaledOnBacklog(local: LocalOverlay, load: SteadyLoad): Promise<readonly ScaledMoment[]> {
  await local.scale([deployment], 0);
  const settledBefore = load.pushes.length;
  await sleep(waitSeconds * 1_000);
  await kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(autoscaler) });
  const backlog = new Backlog(local, load, settledBefore);
  await feed(await backlog.now());
  await kubectl(['-n', namespace, 'scale', '--replicas=1', `deployment/${deployment}`]);
  const seen: ScaledMoment[] = [];
  const fromMs = performance.now();
  let ended: Promise<void> | undefined;
  const all = { isStored: false };
  for (let quiet = 0; quiet < quietSeconds && seen.length < secondsMax;) {
    // What a pod settled in its drain is told to nobody here: of the end the receipts know.
    const { messages, ageSeconds } = all.isStored ? nothing : await backlog.now();
    await feed({ messages, ageSeconds });
    const { spec } = await kubectlJson<{ spec: { replicas: number } }>(
      '-n',
      namespace,
      'get',
      'deployment',
      deployment,
    );
    const second = Math.round((performance.now() - fromMs) / 1_000);
    seen.push({ second, backlog: messages, ageSeconds, replicas: spec.replicas });
    quiet = spec.replicas === 1 && all.isStored ? quiet + 1 : 0;
    if (spec.replicas >= replicasMax) {
      ended ??= load.stop().then(async () => {
        await completed(local);
        all.isStored = true;
      });
    }
    await sleep(1_000);
  }
  await kubectl(['-n', namespace, 'delete', 'hpa', deployment]);
  await (ended ?? load.stop());
  return seen;
}

/** Counted from what pods tell; what those told that are gone counts on. */
class Backlog {
  readonly #local: LocalOverlay;
  readonly #load: SteadyLoad;
  readonly #settledBefore: number;
  readonly #settled = new Map<string, number>();

  constructor(local: LocalOverlay, load: SteadyLoad, settledBefore: number) {
    this.#local = local;
    this.#load = load;
    this.#settledBefore = settledBefore;
  }

  async now(): Promise<{ readonly messages: number; readonly ageSeconds: number }> {
    for (const pod of await runningPods(this.#local, deployment)) {
      const count = await podMetric(pod, 'stage_messages_settled_total', 'stage="rule-execution"').catch(
        () => undefined,
      );
      if (count !== undefined) {
        this.#settled.set(pod.metadata.name, count);
      }
    }
    const settled = this.#settledBefore + [...this.#settled.values()].reduce((sum, count) => sum + count, 0);
    const oldest = this.#load.pushes[settled];
    return {
      messages: Math.max(0, this.#load.pushes.length - settled),
      ageSeconds: oldest === undefined ? 0 : Math.round((Date.now() - oldest.sentAtMs) / 1_000),
    };
  }
}

const external = (name: string, averageValue: string): object => ({
  type: 'External',
  external: { metric: { name, selector: { matchLabels: labels } }, target: { type: 'AverageValue', averageValue } },
});

/** As those of k8s/components, for minutes instead of hours. */
const autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: deployment, namespace },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment },
    minReplicas: 1,
    maxReplicas: replicasMax,
    metrics: [
      external('meterflow_backlog_messages', String(backlogEach)),
      external('meterflow_backlog_age_seconds', String(ageSecondsEach)),
    ],
    behavior: {
      scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 2, periodSeconds: 5 }] },
      scaleDown: { stabilizationWindowSeconds: 10, policies: [{ type: 'Pods', value: 1, periodSeconds: 2 }] },
    },
  },
};

/** To the control plane's own server of external metrics. */
function feed({ messages, ageSeconds }: { readonly messages: number; readonly ageSeconds: number }): Promise<void> {
  const values = {
    [`${namespace}/meterflow_backlog_messages`]: [{ labels, value: messages }],
    [`${namespace}/meterflow_backlog_age_seconds`]: [{ labels, value: ageSeconds }],
  };
  const port = Number(process.env['CONTROL_PLANE_PORT'] ?? 16_443) + 1;
  const ca = readFileSync(join(process.env['CONTROL_PLANE_RUN'] ?? '', 'pki/ca.crt'));
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, ca, method: 'PUT', path: '/values' }, (answer) => {
      answer.resume().on('end', resolve);
    })
      .on('error', reject)
      .end(JSON.stringify(values));
  });
}
