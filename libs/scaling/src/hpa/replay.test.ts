import { expect, test } from 'vitest';
import type { ExternalMetric, HpaSpec } from './hpa-spec.ts';
import { replay, type MetricStep, type Scenario } from './replay.ts';

const backlog: ExternalMetric = { name: 'backlog', selector: '', target: { type: 'averageValue', milli: 1_000_000 } };
const age: ExternalMetric = { name: 'age', selector: '', target: { type: 'value', milli: 30_000 } };
const spec: HpaSpec = { minReplicas: 1, maxReplicas: 20, metrics: [backlog] };

/** Where the replicas changed, as `at: from→to`. */
function changes(steps: readonly MetricStep[], more: Partial<Scenario> = {}): string[] {
  return replay({ spec, seconds: 900, steps, ...more })
    .filter(({ from, to }) => from !== to)
    .map(({ at, from, to }) => `${at}: ${from}→${to}`);
}

const steady = (values: Readonly<Record<string, number | null>>): MetricStep[] => [{ at: 0, values }];

test('without a behavior it goes up to four or to twice as many at a step, and down when the window is over', () => {
  const steps = [
    { at: 0, values: { backlog: 18_000 } },
    { at: 100, values: { backlog: 2_000 } },
  ];
  expect(changes(steps)).toEqual(['15: 1→4', '30: 4→8', '45: 8→16', '60: 16→18', '405: 18→2']);
});

test('within the tolerance nothing changes', () => {
  expect(changes(steady({ backlog: 1_100 }))).toEqual([]);
  expect(changes(steady({ backlog: 1_101 }))).toEqual(['15: 1→2']);
});

test('a metric that fails keeps the others from going down, not from going up', () => {
  const both = { ...spec, metrics: [backlog, { ...backlog, name: 'other' }] };
  expect(changes(steady({ backlog: 0, other: null }), { spec: both, replicas: 5 })).toEqual([]);
  expect(changes(steady({ backlog: 6_000, other: null }), { spec: both, replicas: 5 })).toEqual(['15: 5→6']);
});

test('a stage that is held back, so that its metrics have no value, is scaled neither up nor down, and goes on afterwards', () => {
  const both = { ...spec, metrics: [backlog, { ...age, target: { type: 'averageValue', milli: 30_000 } as const }] };
  const steps = [
    { at: 0, values: { backlog: 3_000, age: 40 } },
    { at: 100, values: { backlog: null, age: null } },
    { at: 600, values: { backlog: 9_000, age: 300 } },
  ];
  expect(changes(steps, { spec: both, replicas: 3 })).toEqual(['600: 3→6', '615: 6→10']);
});

test('a value that does not fall runs to the maximum, the average of the same value does not', () => {
  expect(changes(steady({ age: 60 }), { spec: { ...spec, metrics: [age] } }).at(-1)).toBe('75: 16→20');
  const average: ExternalMetric = { ...age, target: { type: 'averageValue', milli: 30_000 } };
  expect(changes(steady({ age: 60 }), { spec: { ...spec, metrics: [average] } })).toEqual(['15: 1→2']);
});

test('a value counts ready pods alone: with none ready it asks for the minimum', () => {
  const slow = { spec: { ...spec, metrics: [age] }, podReadySeconds: 10_000, replicas: 3 };
  expect(changes(steady({ age: 60 }), slow)).toEqual(['330: 3→1']);
});

test('as many pods as an int32 counts are no more work than one', () => {
  const many = { spec: { ...spec, maxReplicas: 1_600_000_000, metrics: [age] }, replicas: 1_200_000_000 };
  expect(changes(steady({ age: 40 }), many)).toEqual(['15: 1200000000→1600000000']);
});

test('pods that go are the newest: those that stay are as ready as before', () => {
  const steps = [
    { at: 0, values: { age: 60 } },
    { at: 40, values: { age: 0 } },
    { at: 500, values: { age: 60 } },
  ];
  const some = { spec: { ...spec, minReplicas: 3, metrics: [age] }, replicas: 3, podReadySeconds: 0 };
  expect(changes(steps, some)).toEqual(['15: 3→6', '30: 6→12', '345: 12→3', '510: 3→6', '525: 6→12', '540: 12→20']);
});

test('policies bound each period, and a period starts with what there was', () => {
  const behavior = {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }],
    },
    scaleDown: { stabilizationWindowSeconds: 30, selectPolicy: 'Disabled', policies: [] },
  } as const;
  const steps = [
    { at: 0, values: { backlog: 6_000 } },
    { at: 200, values: { backlog: 0 } },
  ];
  expect(changes(steps, { spec: { ...spec, behavior } })).toEqual(['15: 1→3', '75: 3→5', '135: 5→6']);
});

test('no replicas stay none, unless none is allowed', () => {
  expect(changes(steady({ backlog: 5_000 }), { replicas: 0 })).toEqual([]);
  expect(changes(steady({ backlog: 5_000 }), { replicas: 0, spec: { ...spec, minReplicas: 0 } })).toEqual([
    '15: 0→4',
    '30: 4→5',
  ]);
});
