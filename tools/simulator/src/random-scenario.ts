import { milliValue } from '@meterflow/scaling';
import fc from 'fast-check';

// Scenarios in hpa-replay's form, of all that makes the controller decide otherwise: bursts, ramps, gaps, several metrics
// and selectors, limits, both kinds of target, behaviours and tolerances. The same seed gives the same scenarios.

/** The replay ends when more pods than these come or go in one second: its watch holds a hundred changes. */
const replicasMax = 45;
const minReplicasMax = 5;

const metricNames = ['backlog', 'oldest-age', 'in-flight'] as const;

const quantity = fc.oneof(
  fc.integer({ min: 1, max: 5_000 }).map(String),
  fc.integer({ min: 1, max: 900_000 }).map((milli) => `${milli}m`),
  fc.integer({ min: 1, max: 40 }).map((thousands) => `${thousands}k`),
  fc.constantFrom('1Ki', '1.5', '2e3', '0.25'),
);

const metric = fc
  .record({
    name: fc.constantFrom(...metricNames),
    labels: fc.option(fc.constantFrom({ lane: 'live' }, { lane: 'bulk', subscription: 'persistence' }), {
      nil: undefined,
    }),
    average: fc.boolean(),
    target: quantity,
  })
  .map(({ name, labels, average, target }) => ({
    type: 'External',
    external: {
      metric: { name, ...(labels && { selector: { matchLabels: labels } }) },
      target: average
        ? { type: 'AverageValue', averageValue: target, value: undefined }
        : { type: 'Value', value: target, averageValue: undefined },
    },
  }));

type Metric = typeof metric extends fc.Arbitrary<infer Value> ? Value : never;

const policy = fc.record({
  type: fc.constantFrom('Pods', 'Percent'),
  value: fc.integer({ min: 1, max: 150 }),
  periodSeconds: fc.constantFrom(1, 14, 15, 16, 30, 60, 90, 300, 600, 1800),
});

const rules = fc.record(
  {
    stabilizationWindowSeconds: fc.constantFrom(0, 0, 1, 15, 29, 30, 60, 120, 300, 900),
    selectPolicy: fc.constantFrom('Max', 'Max', 'Max', 'Min', 'Min', 'Disabled'),
    policies: fc.array(policy, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);

const spec = fc
  .record({
    minReplicas: fc.constantFrom(undefined, 0, 1, 2, minReplicasMax),
    spread: fc.constantFrom(1, 4, 20, 20, replicasMax - minReplicasMax),
    metrics: fc.array(metric, { minLength: 1, maxLength: 4 }),
    behavior: fc.option(fc.record({ scaleUp: rules, scaleDown: rules }, { requiredKeys: [] }), { nil: undefined }),
  })
  .map(({ minReplicas, spread, metrics, behavior }) => ({
    ...(minReplicas !== undefined && { minReplicas }),
    maxReplicas: Math.max(1, (minReplicas ?? 1) + spread),
    metrics,
    ...(behavior && { behavior }),
  }));

/** Of the target: so that most values ask for some of the pods, and some for far too many. */
const multiple = fc.constantFrom(0.3, 1, 1, 3, 1e6);
const level = fc.integer({ min: 0, max: 2_400 }).map((hundredths) => hundredths / 100);

/** A stretch of time in which one metric holds, climbs, falls or fails. */
const stretch = fc.record({
  kind: fc.constantFrom('hold', 'ramp', 'zero', 'burst', 'fail'),
  steps: fc.integer({ min: 1, max: 12 }),
  stepSeconds: fc.constantFrom(1, 7, 15, 30, 60, 180, 400),
  from: level,
  to: level,
});

type Stretch = typeof stretch extends fc.Arbitrary<infer Value> ? Value : never;

function valuesOf({ kind, steps, from, to }: Stretch, unit: number): (number | null)[] {
  return Array.from({ length: steps }, (_, i) => {
    switch (kind) {
      case 'hold':
        return from * unit;
      case 'ramp':
        return (from + ((to - from) * i) / steps) * unit;
      case 'burst':
        return (i % 3 === 0 ? to * 50 : from) * unit;
      case 'zero':
        return 0;
      case 'fail':
        return null;
    }
  });
}

/** Changes of one metric, by instant. */
const trajectory = fc.record({ multiple, stretches: fc.array(stretch, { minLength: 1, maxLength: 6 }) });

function changesOf(stretches: readonly Stretch[], unit: number): [at: number, value: number | null][] {
  const changes: [number, number | null][] = [];
  let at = 0;
  for (const each of stretches) {
    for (const value of valuesOf(each, unit)) {
      changes.push([at, value]);
      at += each.stepSeconds;
    }
  }
  return changes;
}

/** What the first metric of that name is meant to be; 100 where nobody asks for it. */
function targetOf(metrics: readonly Metric[], valueName = ''): number {
  const target = metrics.find(({ external }) => valueName.startsWith(external.metric.name))?.external.target;
  return target === undefined ? 100 : milliValue(target.averageValue ?? target.value) / 1000;
}

/** `backlog{lane=live}` has values of its own; the others are the same whatever the selector. */
const valueNames = [...metricNames, 'backlog{lane=live}'] as const;

/** One scenario of about an hour, at most an hour and a half; in one of four metrics fail. */
export const randomScenario = fc
  .record({
    spec,
    trajectories: fc.tuple(trajectory, trajectory, trajectory, trajectory),
    replicas: fc.constantFrom(0, 1, 1, 1, 1, 3, 10, replicasMax),
    syncSeconds: fc.constantFrom(15, 15, 15, 2.4, 5, 7.5, 30),
    podReadySeconds: fc.constantFrom(0, 0.5, 3, 20, 90),
    tolerance: fc.constantFrom(0.1, 0.1, 0, 0.3),
    downscaleStabilizationSeconds: fc.constantFrom(300, 300, 60, 1, 900),
    lagSeconds: fc.constantFrom(60, 180),
    failing: fc.constantFrom(true, false, false, false),
  })
  .map(({ spec: hpaSpec, trajectories, lagSeconds, failing, ...settings }) => {
    const changes = trajectories.map((each, i) =>
      changesOf(each.stretches, each.multiple * targetOf(hpaSpec.metrics, valueNames[i])),
    );
    const last = Math.max(...changes.flat().map(([at]) => at));
    const instants = [...new Set(changes.flat().map(([at]) => at))].sort((a, b) => a - b);
    const valueAt = (i: number, instant: number): number | null =>
      changes[i]?.findLast(([at, value]) => at <= instant && (failing || value !== null))?.[1] ?? (failing ? null : 0);
    const steps = instants.map((instant) => ({
      // A metric that is late fails at first, and later tells of long ago.
      at: failing ? instant + lagSeconds : instant,
      values: Object.fromEntries(valueNames.map((name, i) => [name, valueAt(i, instant)])),
    }));
    // The replay ends badly in the middle of a sync that fails: it ends a second after a minute, where none is due.
    // After an error the controller is a millisecond late, which tells where a sync falls on a whole second by chance.
    const syncSeconds = failing && settings.syncSeconds === 2.4 ? 5 : settings.syncSeconds;
    const minutes = Math.ceil(Math.min(5_400, last + lagSeconds + 600) / 60);
    return { hpa: { spec: hpaSpec }, ...settings, syncSeconds, seconds: minutes * 60 + 1, steps };
  });
