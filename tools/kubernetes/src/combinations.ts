import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { k8sFolder } from './k8s-folder.ts';
import { render, type KubernetesObject } from './render.ts';

export const overlays = ['local', 'staging', 'production', 'production-jobs'] as const;

/** Exactly one of them: two would pull at the same pods. */
export const waysToScale = [
  'autoscaling-gke',
  'autoscaling-keda',
  'autoscaling-prometheus',
  'fixed-replicas-vpa',
] as const;

/** What changes the pods of stages: any of them, in this order. */
export const changes = ['priority', 'sandbox-gvisor', 'rollout'] as const;

/** Stages of the bulk lane as Jobs: at most one of them, and last, since they take the pods as they are by then. */
export const waysToQueue = ['queue-jobs', 'queue-jobs/keda-scaled-jobs'] as const;

/** What stands beside the stages and changes no other object, but for the variables that all are told. */
export const additions = ['warehouse', 'telemetry', 'redis', 'google-emulators', 'overprovisioning'] as const;

/** One of each kind: with the sandbox's second image, and without. A lane that runs as Jobs has none. */
const rollouts = ['rollout/rule-execution-live', 'rollout/persistence-live'] as const;

/**
 * Every allowed combination of components: a way to scale, any that change pods, a way to queue or none; and these with all
 * of the additions or with none. Additions stand alone, so each by itself with each way to scale says the rest.
 */
export function combinations(): readonly (readonly string[])[] {
  const subsets = changes.reduce<readonly (readonly string[])[]>(
    (smaller, change) => [
      ...smaller,
      ...smaller.map((subset) => [...subset, ...(change === 'rollout' ? rollouts : [change])]),
    ],
    [[]],
  );
  return waysToScale.flatMap((way) => [
    ...[...additions, 'rollout/aggregation-bulk'].map((addition) => [way, addition]),
    ...[[], additions].flatMap((added) =>
      subsets.flatMap((subset) =>
        [[], ...waysToQueue.map((queue) => [queue])].map((queue) => [way, ...added, ...subset, ...queue]),
      ),
    ),
  ]);
}

/**
 * Of these combinations so many that every two components that are ever together are together in one, the largest first:
 * what two do to each other shows, at a fraction of the time that all of them take.
 */
export function everyPair(all: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const seen = new Set<string>();
  return [...all]
    .sort((a, b) => b.length - a.length)
    .filter((components) => {
      const pairs = components.flatMap((one) => components.map((other) => `${one} ${other}`));
      const isNew = pairs.some((pair) => !seen.has(pair));
      pairs.forEach((pair) => seen.add(pair));
      return isNew;
    });
}

/** What the base makes with these components, with images as an overlay would name them. */
export function renderCombination(components: readonly string[]): readonly KubernetesObject[] {
  const folder = mkdtempSync(join(tmpdir(), 'combination-'));
  try {
    const path = (name: string): string => relative(folder, join(k8sFolder, name));
    writeFileSync(
      join(folder, 'kustomization.yaml'),
      JSON.stringify({
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        namespace: 'meterflow',
        resources: [path('base')],
        components: components.map((name) => path(`components/${name}`)),
        images: services.map((name) => ({ name: `meterflow/${name}`, newTag: '0.1.0' })),
      }),
    );
    return render(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const services = [
  ...['ingest', 'control', 'rule-execution', 'sandbox', 'aggregation', 'persistence', 'job-scaler', 'provision'],
  ...['rule-execution-next', 'sandbox-next', 'aggregation-next', 'persistence-next'],
];
