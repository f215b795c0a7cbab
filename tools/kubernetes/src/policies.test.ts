import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { additions, combinations, overlays, renderCombination, waysToScale } from './combinations.ts';
import { k8sFolder } from './k8s-folder.ts';
import { podTemplates, policyProblems } from './policies.ts';
import { hasKubectl, render, type KubernetesObject } from './render.ts';

describe.skipIf(!hasKubectl)('the manifests [needs kubectl]', () => {
  test.each(overlays)('of the overlay %s keep every rule', (overlay) => {
    const objects = render(join(k8sFolder, 'overlays', overlay));
    expect(policyProblems(objects)).toEqual([]);
    expect(objects.filter(({ kind }) => kind === 'Deployment').length).toBeGreaterThan(7);
  });

  test.each(waysToScale)('with all components and %s keep every rule', (way) => {
    const all = combinations().findLast(([first]) => first === way) as readonly string[];
    expect(all).toEqual(expect.arrayContaining([...additions, 'priority', 'queue-jobs/keda-scaled-jobs']));
    expect(policyProblems(renderCombination(all))).toEqual([]);
  });

  test('run the lane bulk as Jobs that have the pods of its Deployments, which are gone', () => {
    const deployed = renderCombination(['autoscaling-gke', 'priority', 'sandbox-gvisor']);
    const queued = renderCombination(['autoscaling-gke', 'priority', 'sandbox-gvisor', 'queue-jobs']);
    expect(policyProblems(queued)).toEqual([]);
    for (const name of ['rule-execution-bulk', 'aggregation-bulk', 'persistence-bulk']) {
      const named = (objects: readonly KubernetesObject[]): readonly KubernetesObject[] =>
        objects.filter(({ kind, metadata }) => kind !== 'ServiceAccount' && metadata.name === name);
      expect(named(queued).map(({ kind }) => kind)).toEqual(['CronJob']);
      const [before] = named(deployed).flatMap(podTemplates);
      const [worker] = named(queued).flatMap(podTemplates);
      expect(worker?.metadata.labels).toEqual(before?.metadata.labels);
      expect(worker?.spec).toMatchObject({
        ...before?.spec,
        containers: [{ image: before?.spec.containers[0]?.image }],
      });
    }
  });

  test('bring a version beside another, on the same subscriptions, told apart by its image and a label', () => {
    const objects = renderCombination(['autoscaling-gke', 'rollout/persistence-live']);
    expect(policyProblems(objects)).toEqual([]);
    const templates = ['persistence-live', 'persistence-live-next'].flatMap((name) =>
      objects.filter(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name).flatMap(podTemplates),
    );
    const environments = templates.map(({ spec }) => (spec.containers[0] as { env?: unknown } | undefined)?.env);
    expect(environments[0]).toEqual(environments[1]);
    expect(templates.map(({ spec }) => (spec as { serviceAccountName?: string }).serviceAccountName)).toEqual([
      'persistence-live',
      'persistence-live',
    ]);
    expect(templates.map(({ spec }) => spec.containers[0]?.image)).toEqual([
      'meterflow/persistence:0.1.0',
      'meterflow/persistence-next:0.1.0',
    ]);
    expect(templates.map(({ metadata }) => metadata.labels['meterflow/track'])).toEqual([undefined, 'next']);
  });

  test('of the base alone say nothing of scaling, and name no image in full', () => {
    const problems = policyProblems(render(join(k8sFolder, 'base')));
    expect(problems).toContain('persistence-live: neither an autoscaler nor a reason for none');
    expect(problems).toContain('ingest: ingest: no version in the image meterflow/ingest');
  });

  test('share no subscription between lanes, and leave none without an autoscaler', () => {
    const asked = renderCombination(['autoscaling-gke'])
      .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
      .map((scaler) => subscriptionsIn(scaler));
    expect(new Set(asked.flat())).toHaveLength(asked.flat().length);
    expect(asked.flat().toSorted()).toEqual(
      ['bulk', 'live'].flatMap((lane) => stageSubscriptions.map((name) => `${name}.${lane}`)).toSorted(),
    );
  });
});

const stageSubscriptions = [
  'aggregation',
  'aggregation-nodes',
  'aggregation-parents',
  'days-closed',
  'days-due',
  'ingest',
  'persistence-aggregates',
  'persistence-raw',
  'persistence-validated',
  'rule-execution',
  'series-flows',
];

function subscriptionsIn(scaler: KubernetesObject): readonly string[] {
  return [...new Set(JSON.stringify(scaler.spec).match(/(?<="resource\.labels\.subscription_id":")[^"]+/g))];
}
