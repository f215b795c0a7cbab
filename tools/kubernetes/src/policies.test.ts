import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { combinations, overlays, renderCombination, waysToScale } from './combinations.ts';
import { k8sFolder } from './k8s-folder.ts';
import { policyProblems } from './policies.ts';
import { hasKubectl, render, type KubernetesObject } from './render.ts';

describe.skipIf(!hasKubectl)('the manifests [needs kubectl]', () => {
  test.each(overlays)('of the overlay %s keep every rule', (overlay) => {
    const objects = render(join(k8sFolder, 'overlays', overlay));
    expect(policyProblems(objects)).toEqual([]);
    expect(objects.filter(({ kind }) => kind === 'Deployment').length).toBeGreaterThan(7);
  });

  test.each(waysToScale)('with all components and %s keep every rule', (way) => {
    const all = combinations().findLast(([first]) => first === way) as readonly string[];
    expect(all).toHaveLength(6);
    expect(policyProblems(renderCombination(all))).toEqual([]);
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
  'aggregation-parents',
  'days-due',
  'persistence-aggregates',
  'persistence-raw',
  'persistence-validated',
  'rule-execution',
  'series-flows',
];

function subscriptionsIn(scaler: KubernetesObject): readonly string[] {
  return [...new Set(JSON.stringify(scaler.spec).match(/(?<="resource\.labels\.subscription_id":")[^"]+/g))];
}
