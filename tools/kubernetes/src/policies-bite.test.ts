import { expect, test } from 'vitest';
import { policyProblems } from './policies.ts';
import type { KubernetesObject } from './render.ts';

test('a deployment that keeps no rule is told all of them', () => {
  const careless: KubernetesObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'careless' },
    spec: {
      template: {
        metadata: { labels: {} },
        spec: { terminationGracePeriodSeconds: 20, containers: [{ name: 'main', image: 'careless:latest' }] },
      },
    },
  };
  expect(policyProblems([careless])).toEqual(
    [
      'is killed before its drain may end',
      'may run as root',
      'has no seccomp profile',
      'has a token of the Kubernetes API',
      'main: no version in the image careless:latest',
      'main: no limit of memory',
      'main: no request of CPU or memory',
      'main: a root file system that can be written',
      'main: may get more privileges',
      'main: keeps capabilities',
      'neither an autoscaler nor a reason for none',
      'fixed replicas without their number',
      '0 disruption budgets, not one',
    ].map((problem) => `careless: ${problem}`),
  );
});
