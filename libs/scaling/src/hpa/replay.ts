import { HpaController, type HpaControllerOptions } from './hpa-controller.ts';
import type { ExternalMetric, HpaSpec } from './hpa-spec.ts';

const nsPerSecond = 1e9;
/** Nanoseconds stay exact in a number for this long. */
export const replaySecondsMax = 100 * 86_400;

/** Metric values from an instant on, until the next step; a metric without a value fails. */
export interface MetricStep {
  readonly at: number;
  /** By metric name, or `name{a=b}` where a selector tells metrics apart. */
  readonly values: Readonly<Record<string, number | null>>;
}

/** Scripted metrics for one autoscaler; times in seconds. */
export interface Scenario extends HpaControllerOptions {
  readonly spec: HpaSpec;
  /** Replicas at the beginning; 1. */
  readonly replicas?: number;
  readonly seconds: number;
  /** `--horizontal-pod-autoscaler-sync-period`; 15. */
  readonly syncSeconds?: number;
  /** From a pod's creation until it is Ready; 0. */
  readonly podReadySeconds?: number;
  /** In order of time. */
  readonly steps: readonly MetricStep[];
}

export interface ReplayedSync {
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Every sync of the controller over scripted metrics, which nothing feeds back into. The first is one period after the
 * beginning. Pods follow the replicas once a second, the newest going first.
 */
export function replay({ spec, replicas = 1, seconds, steps, ...options }: Scenario): ReplayedSync[] {
  const controller = new HpaController(spec, options);
  const pods = new ScriptedPods(replicas, Math.trunc((options.podReadySeconds ?? 0) * nsPerSecond));
  const metrics = new ScriptedMetrics(steps);
  const syncNs = Math.trunc((options.syncSeconds ?? 15) * nsPerSecond);
  const syncs: ReplayedSync[] = [];
  for (
    let nowNs = syncNs, from = replicas;
    nowNs <= Math.min(seconds, replaySecondsMax) * nsPerSecond;
    nowNs += syncNs
  ) {
    pods.follow(from, nowNs);
    const at = nowNs / nsPerSecond;
    const to = controller.sync(nowNs, {
      specReplicas: from,
      statusReplicas: from,
      podCount: pods.count,
      readyPodCount: pods.readyCount,
      milliOf: (metric) => metrics.milliOf(metric, at),
    });
    syncs.push({ at, from, to });
    from = to;
  }
  return syncs;
}

/** The values of a script, read forwards. */
class ScriptedMetrics {
  readonly #steps: readonly MetricStep[];
  #next = 0;

  constructor(steps: readonly MetricStep[]) {
    this.#steps = steps;
  }

  milliOf({ name, selector }: ExternalMetric, at: number): number | undefined {
    while (this.#next < this.#steps.length && (this.#steps[this.#next] as MetricStep).at <= at) {
      this.#next += 1;
    }
    const values = this.#steps[this.#next - 1]?.values;
    const value = values?.[`${name}{${selector}}`] ?? values?.[name];
    return typeof value === 'number' ? Math.trunc(value * 1000) : undefined;
  }
}

/** Pods that were made together. */
interface PodsMade {
  readonly atNs: number;
  readonly count: number;
}

/** Pods that are made and taken away at whole seconds, and become Ready after a while; as many as an int32 counts. */
class ScriptedPods {
  readonly #readyNs: number;
  /** The oldest first. */
  readonly #made: PodsMade[] = [];
  #lastNs = 0;
  count = 0;
  readyCount = 0;

  constructor(replicas: number, readyNs: number) {
    this.#readyNs = readyNs;
    this.#reconcile(replicas, 0);
  }

  /** As the pods are just before `nowNs`, when there have been so many replicas since the last call. */
  follow(replicas: number, nowNs: number): void {
    const secondNs = (Math.ceil(nowNs / nsPerSecond) - 1) * nsPerSecond;
    // What was decided within a second shows at the next one; what comes of it later depends on time alone.
    if (this.#lastNs + nsPerSecond <= secondNs) {
      this.#reconcile(replicas, this.#lastNs + nsPerSecond);
    }
    this.#lastNs = secondNs;
    this.readyCount = this.#made
      .filter(({ atNs }) => atNs + this.#readyNs <= secondNs)
      .reduce((sum, { count }) => sum + count, 0);
  }

  #reconcile(replicas: number, atNs: number): void {
    while (this.count > replicas) {
      const { atNs: madeNs, count } = this.#made.pop() as PodsMade;
      const stay = Math.max(0, count - (this.count - replicas));
      this.count -= count - stay;
      if (stay > 0) {
        this.#made.push({ atNs: madeNs, count: stay });
      }
    }
    if (this.count < replicas) {
      this.#made.push({ atNs, count: replicas - this.count });
      this.count = replicas;
    }
  }
}
