import fc from 'fast-check';

// Scenarios in hpa-replay's form, of all that makes the controller decide otherwise: bursts, ramps, gaps, several metrics
// and selectors, limits, both kinds of target, behaviours and tolerances. The same seed gives the same scenarios.

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
      target: average ? { type: 'AverageValue', averageValue: target } : { type: 'Value', value: target },
    },
  }));

const policy = fc.record({
  type: fc.constantFrom('Pods', 'Percent'),
  value: fc.integer({ min: 1, max: 150 }),
  periodSeconds: fc.constantFrom(1, 14, 15, 16, 30, 60, 90, 300, 600, 1800),
});

const rules = fc.record(
  {
    stabilizationWindowSeconds: fc.constantFrom(0, 1, 15, 29, 30, 60, 300, 900, 3600),
    selectPolicy: fc.constantFrom('Max', 'Min', 'Disabled'),
    policies: fc.array(policy, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);

const spec = fc
  .record({
    minReplicas: fc.constantFrom(undefined, 0, 1, 2, 5),
    spread: fc.constantFrom(0, 1, 4, 20, 100, 1000),
    metrics: fc.array(metric, { minLength: 1, maxLength: 4 }),
    behavior: fc.option(fc.record({ scaleUp: rules, scaleDown: rules }, { requiredKeys: [] }), { nil: undefined }),
  })
  .map(({ minReplicas, spread, metrics, behavior }) => ({
    ...(minReplicas !== undefined && { minReplicas }),
    maxReplicas: Math.max(1, (minReplicas ?? 1) + spread),
    metrics,
    ...(behavior && { behavior }),
  }));

const scale = fc.constantFrom(1, 10, 1_000, 100_000, 1e9);
const level = fc.double({ min: 0, max: 10, noNaN: true });

/** A stretch of time in which one metric holds, climbs, falls or fails. */
const stretch = fc.record({
  kind: fc.constantFrom('hold', 'hold', 'ramp', 'zero', 'fail', 'burst'),
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
const trajectory = fc.record({ unit: scale, stretches: fc.array(stretch, { minLength: 1, maxLength: 8 }) });

function changesOf({
  unit,
  stretches,
}: {
  unit: number;
  stretches: readonly Stretch[];
}): [at: number, value: number | null][] {
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

/** One scenario of about an hour, at most three. */
export const randomScenario = fc
  .record({
    spec,
    trajectories: fc.tuple(trajectory, trajectory, trajectory),
    replicas: fc.constantFrom(0, 1, 1, 1, 3, 10, 200),
    syncSeconds: fc.constantFrom(15, 15, 15, 1, 5, 7.5, 30),
    podReadySeconds: fc.constantFrom(0, 0.5, 3, 20, 90),
    tolerance: fc.constantFrom(0.1, 0.1, 0, 0.3),
    downscaleStabilizationSeconds: fc.constantFrom(300, 300, 60, 1, 900),
    lagSeconds: fc.constantFrom(0, 0, 60, 180),
  })
  .map(({ spec: hpaSpec, trajectories, lagSeconds, ...settings }) => {
    const changes = trajectories.map(changesOf);
    const last = Math.max(...changes.flat().map(([at]) => at));
    const instants = [...new Set(changes.flat().map(([at]) => at))].sort((a, b) => a - b);
    const steps = instants.map((instant) => ({
      at: instant + lagSeconds,
      values: Object.fromEntries(
        metricNames.map((name, i) => [name, changes[i]?.findLast(([at]) => at <= instant)?.[1] ?? null]),
      ),
    }));
    return { hpa: { spec: hpaSpec }, ...settings, seconds: Math.min(10_800, last + lagSeconds + 600), steps };
  });
