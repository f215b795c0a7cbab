import type { ScalingRules } from './hpa-spec.ts';
import { replaceOutdated } from './replace-outdated.ts';

const nsPerSecond = 1e9;

interface ScaleEvent {
  readonly atNs: number;
  readonly change: number;
}

/** Changes in one direction. Their memory is as long as the longest period of that direction's policies. */
export class ScaleEvents {
  readonly #events: ScaleEvent[] = [];

  /** `change` is how many replicas were added, or taken away: never negative. */
  add(event: ScaleEvent, rules: ScalingRules): void {
    const longestNs = Math.max(0, ...rules.policies.map(({ periodSeconds }) => periodSeconds)) * nsPerSecond;
    replaceOutdated(this.#events, event, ({ atNs }) => atNs < event.atNs - longestNs);
  }

  /** Replicas changed less than `periodSeconds` ago. */
  changedWithin(periodSeconds: number, nowNs: number): number {
    const cutoffNs = nowNs - periodSeconds * nsPerSecond;
    return this.#events.reduce((sum, { atNs, change }) => (atNs > cutoffNs ? sum + change : sum), 0);
  }
}
