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
      'Deployment in no namespace',
      'is killed before its drain may end',
      'may run as root',
      'has no seccomp profile',
      'has a token of the Kubernetes API, and no reason',
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

test('a worker that somebody or something keeps from ending itself is told', () => {
  const template = { metadata: { labels: {} }, spec: { containers: [{ name: 'a' }, { name: 'b' }] } };
  const worker: KubernetesObject = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'worker', namespace: 'meterflow' },
    spec: { jobTemplate: { spec: { template } } },
  };
  expect(policyProblems([worker])).toEqual(
    expect.arrayContaining([
      'worker: may be evicted while it works',
      'worker: never ends itself',
      'worker: waits for a container that does not end',
      'worker: starts again in the same pod',
    ]),
  );
});
