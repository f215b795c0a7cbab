import { expect, test } from 'vitest';
import { HpaManifestError, parseHpa } from './parse-hpa.ts';

const backlog = {
  type: 'External',
  external: {
    metric: {
      name: 'backlog',
      selector: {
        matchLabels: { subscription: 'persistence' },
        matchExpressions: [{ key: 'lane', operator: 'In', values: ['live', 'bulk'] }],
      },
    },
    target: { type: 'AverageValue', averageValue: '1500m' },
  },
};

test('defaults are those of the API server: a behavior that says one thing gets the rest', () => {
  const spec = parseHpa({
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v2',
    metadata: { name: 'persistence' },
    spec: { maxReplicas: 3, metrics: [backlog], behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } },
  });
  expect(spec).toEqual({
    minReplicas: 1,
    maxReplicas: 3,
    metrics: [
      {
        name: 'backlog',
        selector: 'lane in (bulk,live),subscription=persistence',
        target: { type: 'averageValue', milli: 1_500 },
      },
    ],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      },
      scaleDown: {
        stabilizationWindowSeconds: 60,
        selectPolicy: 'Max',
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      },
    },
  });
  expect(parseHpa({ spec: { maxReplicas: 3, metrics: [backlog] } }).behavior).toBeUndefined();
});

test.each([
  ['nothing', null, 'expected object'],
  ['a Deployment', { kind: 'Deployment', spec: {} }, 'HorizontalPodAutoscaler'],
  ['no metrics', { spec: { maxReplicas: 1, metrics: [] } }, 'CPU, which is not modelled'],
  ['a metric of pods', { spec: { maxReplicas: 1, metrics: [{ type: 'Pods', pods: {} }] } }, 'Only External metrics'],
  ['no bound', { spec: { metrics: [backlog] } }, 'spec.maxReplicas'],
  [
    'a target without a value',
    {
      spec: { maxReplicas: 1, metrics: [{ ...backlog, external: { ...backlog.external, target: { type: 'Value' } } }] },
    },
    'neither an averageValue nor a value',
  ],
  ['an unknown key', { spec: { maxReplicas: 1, metrics: [backlog], behaviour: {} } }, 'behaviour'],
])('%s is refused, with the place', (_, manifest, message) => {
  expect(() => parseHpa(manifest)).toThrow(HpaManifestError);
  expect(() => parseHpa(manifest)).toThrow(message);
});
