import type { HpaSpec, ScalingRules } from './hpa-spec.ts';
import { policyLimit } from './policy-limit.ts';
import { replaceOutdated } from './replace-outdated.ts';
import { proposedReplicas, type ObservedScale, type Tolerances } from './replica-proposal.ts';
import { ScaleEvents } from './scale-events.ts';

const nsPerSecond = 1e9;
/** Without `behavior`: at most twice the pods at a step, or this many. */
const scaleUpMinimum = 4;

/** Flags of kube-controller-manager that decide about replicas. */
export interface HpaControllerOptions {
  /** `--horizontal-pod-autoscaler-tolerance`. */
  readonly tolerance?: number;
  /** `--horizontal-pod-autoscaler-downscale-stabilization`. */
  readonly downscaleStabilizationSeconds?: number;
  /** The feature gate HPAConfigurableTolerance: off in Kubernetes 1.33. */
  readonly configurableTolerance?: boolean;
}

interface Recommendation {
  readonly atNs: number;
  readonly replicas: number;
}

/**
 * The decisions of Kubernetes' HorizontalPodAutoscaler controller (1.33) for External metrics, sync by sync. Held against
 * the controller's own code over random manifests and metrics. One object an autoscaler; times in nanoseconds from any
 * zero, never going back.
 */
export class HpaController {
  readonly #spec: HpaSpec;
  readonly #options: Required<HpaControllerOptions>;
  readonly #recommendations: Recommendation[] = [];
  readonly #added = new ScaleEvents();
  readonly #removed = new ScaleEvents();

  constructor(spec: HpaSpec, options: HpaControllerOptions = {}) {
    this.#spec = spec;
    this.#options = {
      tolerance: options.tolerance ?? 0.1,
      downscaleStabilizationSeconds: options.downscaleStabilizationSeconds ?? 300,
      configurableTolerance: options.configurableTolerance ?? false,
    };
  }

  /** One sync: the replicas that the target is to have from now on. */
  sync(nowNs: number, scale: ObservedScale): number {
    const current = scale.specReplicas;
    if (this.#recommendations.length === 0) {
      this.#recommendations.push({ atNs: nowNs, replicas: current });
    }
    const desired = this.#desired(nowNs, scale);
    if (desired !== current) {
      this.#remember(nowNs, desired - current);
    }
    return desired;
  }

  #desired(nowNs: number, scale: ObservedScale): number {
    const { minReplicas, maxReplicas, metrics, behavior } = this.#spec;
    const current = scale.specReplicas;
    if (current === 0 && minReplicas !== 0) {
      return 0;
    }
    if (current > maxReplicas) {
      return maxReplicas;
    }
    if (current < minReplicas) {
      return minReplicas;
    }
    const proposed = proposedReplicas(metrics, { tolerances: this.#tolerances(), scale });
    if (proposed === undefined) {
      return current;
    }
    const wanted = Math.max(0, proposed);
    return behavior === undefined
      ? this.#byFixedRules(nowNs, current, wanted)
      : this.#byBehavior(nowNs, current, this.#stabilized(nowNs, current, wanted));
  }

  #tolerances(): Tolerances {
    const { tolerance, configurableTolerance } = this.#options;
    const own = configurableTolerance ? this.#spec.behavior : undefined;
    return {
      scaleUp: own?.scaleUp.tolerance ?? tolerance,
      scaleDown: own?.scaleDown.tolerance ?? tolerance,
    };
  }

  #byFixedRules(nowNs: number, current: number, wanted: number): number {
    const cutoffNs = nowNs - this.#options.downscaleStabilizationSeconds * nsPerSecond;
    const recent = this.#recommendations.filter(({ atNs }) => atNs >= cutoffNs);
    const highest = recent.reduce((most, { replicas }) => Math.max(most, replicas), wanted);
    replaceOutdated(this.#recommendations, { atNs: nowNs, replicas: wanted }, ({ atNs }) => atNs < cutoffNs);
    const { minReplicas, maxReplicas } = this.#spec;
    const most = Math.min(maxReplicas, Math.max(2 * current, scaleUpMinimum));
    // The lower bound first: where the bounds cross, it is the one that holds.
    return highest < minReplicas ? minReplicas : Math.min(highest, most);
  }

  /** No higher than any recommendation of the window on the way up, no lower on the way down. */
  #stabilized(nowNs: number, current: number, wanted: number): number {
    const upCutoffNs = nowNs - this.#windowNs('scaleUp');
    const downCutoffNs = nowNs - this.#windowNs('scaleDown');
    let lowest = wanted;
    let highest = wanted;
    for (const { atNs, replicas } of this.#recommendations) {
      lowest = atNs > upCutoffNs ? Math.min(lowest, replicas) : lowest;
      highest = atNs > downCutoffNs ? Math.max(highest, replicas) : highest;
    }
    replaceOutdated(
      this.#recommendations,
      { atNs: nowNs, replicas: wanted },
      ({ atNs }) => atNs < upCutoffNs && atNs < downCutoffNs,
    );
    return Math.min(Math.max(current, lowest), highest);
  }

  #byBehavior(nowNs: number, current: number, wanted: number): number {
    const { minReplicas, maxReplicas } = this.#spec;
    if (wanted > current) {
      return Math.min(wanted, maxReplicas, Math.max(current, this.#limit('up', nowNs, current)));
    }
    if (wanted < current) {
      return Math.max(wanted, minReplicas, Math.min(current, this.#limit('down', nowNs, current)));
    }
    return wanted;
  }

  #limit(direction: 'up' | 'down', nowNs: number, currentReplicas: number): number {
    return policyLimit(this.#rules(direction === 'up' ? 'scaleUp' : 'scaleDown'), {
      direction,
      currentReplicas,
      startOf: (periodSeconds) =>
        currentReplicas -
        this.#added.changedWithin(periodSeconds, nowNs) +
        this.#removed.changedWithin(periodSeconds, nowNs),
    });
  }

  #windowNs(direction: 'scaleUp' | 'scaleDown'): number {
    const { stabilizationWindowSeconds } = this.#rules(direction);
    return (stabilizationWindowSeconds ?? Math.trunc(this.#options.downscaleStabilizationSeconds)) * nsPerSecond;
  }

  #rules(direction: 'scaleUp' | 'scaleDown'): ScalingRules {
    const rules = this.#spec.behavior?.[direction];
    if (rules === undefined) {
      throw new Error('This autoscaler has no behavior.');
    }
    return rules;
  }

  #remember(atNs: number, change: number): void {
    if (this.#spec.behavior !== undefined) {
      const [events, rules] =
        change > 0
          ? ([this.#added, this.#rules('scaleUp')] as const)
          : ([this.#removed, this.#rules('scaleDown')] as const);
      events.add({ atNs, change: Math.abs(change) }, rules);
    }
  }
}
