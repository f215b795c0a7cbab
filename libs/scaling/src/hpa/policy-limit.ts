import type { ScalingPolicy, ScalingRules } from './hpa-spec.ts';
import { int32, int32Bounds } from './int32.ts';

interface PolicyLimitOptions {
  readonly direction: 'up' | 'down';
  readonly currentReplicas: number;
  /** Replicas that there were when the period began. */
  readonly startOf: (periodSeconds: number) => number;
}

/** The most, or on the way down the fewest, replicas that the policies allow now. */
export function policyLimit(rules: ScalingRules, { direction, currentReplicas, startOf }: PolicyLimitOptions): number {
  if (rules.selectPolicy === 'Disabled') {
    return currentReplicas;
  }
  // The largest change is the highest count on the way up, and the lowest on the way down.
  const highest = (direction === 'up') === (rules.selectPolicy === 'Max');
  return rules.policies.reduce(
    (limit, policy) => {
      const proposed = change[direction](startOf(policy.periodSeconds), policy);
      return highest ? Math.max(limit, proposed) : Math.min(limit, proposed);
    },
    highest ? int32Bounds.min : int32Bounds.max,
  );
}

/** A share is rounded so that the way up never stands still, and the way down may go all the way; counts are of 32 bits. */
const change = {
  up: (start: number, { type, value }: ScalingPolicy): number =>
    type === 'Pods' ? (start + value) | 0 : int32(Math.ceil(start * (1 + value / 100))),
  down: (start: number, { type, value }: ScalingPolicy): number =>
    type === 'Pods' ? (start - value) | 0 : int32(start * (1 - value / 100)),
};
