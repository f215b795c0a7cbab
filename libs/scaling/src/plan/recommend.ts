import type { ExternalMetric, HpaSpec } from '../hpa/hpa-spec.ts';
import { HpaScaler, planMetricOf, planMetrics } from '../scalers/hpa-scaler.ts';
import type { LoadTrace } from './load-trace.ts';
import { flapSeconds, simulate, type PlanOutcome, type PlanWorld } from './simulate.ts';

export interface PlanRequest {
  readonly trace: LoadTrace;
  /** No reading may wait longer. */
  readonly deadlineSeconds: number;
  readonly world: PlanWorld;
  /** What the cluster or the budget allows. */
  readonly replicasMax: number;
  /** In metrics and targets a backlog is messages of so many readings; 1. */
  readonly readingsPerMessage?: number;
  /** The autoscaler that is there: its metrics and policies stay as they are, and its numbers are looked for anew. */
  readonly existing?: HpaSpec;
}

export interface Recommendation {
  readonly spec: HpaSpec;
  readonly outcome: PlanOutcome;
}

/** Seconds of one pod's work that its share of the backlog is to be, as shares of the deadline. */
const backlogShares = [0.02, 0.05, 0.1, 0.2, 0.4, 0.7] as const;
/** Most pods, as multiples of those that settle the largest pile within the time that is left for it. */
const maxMultiples = [1, 1.5, 2.5] as const;
/** Fewest pods, as shares of the most. */
const minShares = [0, 0.1, 0.25, 0.5, 1] as const;
/** At this share of the deadline the age alone asks for all pods. */
const ageShare = 0.5;
const syncSeconds = 15;
const scaleDownWindowStepSeconds = 30;

/**
 * The HPA on backlog and age that keeps the deadline over the trace with the fewest flaps, and of those the cheapest, by
 * trying each of a grid of settings in the model; undefined where none keeps it.
 */
export function recommend(request: PlanRequest): Recommendation | undefined {
  let best: Recommendation | undefined;
  for (const spec of candidates(request)) {
    const { world, readingsPerMessage = 1 } = request;
    const outcome = simulate(request.trace, { world, scaler: new HpaScaler(spec, { readingsPerMessage }) });
    const keeps = outcome.finished && outcome.worstAgeSeconds <= request.deadlineSeconds;
    if (keeps && (best === undefined || isBetter(outcome, best.outcome))) {
      best = { spec, outcome };
    }
  }
  return best;
}

function isBetter(a: PlanOutcome, b: PlanOutcome): boolean {
  return a.flaps === b.flaps ? a.dollars < b.dollars : a.flaps < b.flaps;
}

function* candidates(request: PlanRequest): Generator<HpaSpec> {
  const { deadlineSeconds, world, replicasMax, existing, readingsPerMessage = 1 } = request;
  const needed = replicasNeeded(request);
  const shortest = scaleDownWindowSeconds(world);
  // The policies of an autoscaler that is there hold, and with them its window.
  const windows = existing?.behavior ? [0] : [shortest, Math.max(2 * shortest, flapSeconds + syncSeconds)];
  const mosts = new Set(
    maxMultiples.map((multiple) => Math.min(replicasMax, Math.max(1, Math.ceil(needed * multiple)))),
  );
  for (const most of mosts) {
    const fewests = new Set(minShares.map((share) => Math.max(1, Math.ceil(most * share))));
    for (const fewest of fewests) {
      for (const share of backlogShares) {
        const backlog = Math.ceil((world.readingsPerPodSecond * deadlineSeconds * share) / readingsPerMessage);
        const ageSeconds = (deadlineSeconds * ageShare) / most;
        for (const windowSeconds of windows) {
          const spec = hpaOnBacklogAndAge({ fewest, most, backlog, ageSeconds, windowSeconds });
          yield existing === undefined ? spec : inPlaceOf(existing, spec);
        }
      }
    }
  }
}

/** The numbers of one in the form of another: its metrics by their names, and its policies where it has any. */
function inPlaceOf(existing: HpaSpec, { minReplicas, maxReplicas, metrics, behavior }: HpaSpec): HpaSpec {
  const targets = new Map(metrics.map(({ name, target }) => [planMetricOf(name), target]));
  const named = existing.metrics.map((metric): ExternalMetric => ({
    ...metric,
    target: targets.get(planMetricOf(metric.name)) ?? metric.target,
  }));
  const policies = existing.behavior ?? behavior;
  return { minReplicas, maxReplicas, metrics: named, ...(policies && { behavior: policies }) };
}

interface HpaSettings {
  readonly fewest: number;
  readonly most: number;
  /** A pod's share of the backlog, messages, and of the age, seconds. */
  readonly backlog: number;
  readonly ageSeconds: number;
  /** For how long a lower count must have been enough before pods are taken away. */
  readonly windowSeconds: number;
}

/** Both targets as AverageValue: `Value` on age runs to the maximum, for the age falls only when the backlog is gone. */
export function hpaOnBacklogAndAge({ fewest, most, backlog, ageSeconds, windowSeconds }: HpaSettings): HpaSpec {
  return {
    minReplicas: fewest,
    maxReplicas: most,
    metrics: [
      { name: planMetrics.backlog, selector: '', target: { type: 'averageValue', milli: backlog * 1000 } },
      { name: planMetrics.age, selector: '', target: { type: 'averageValue', milli: Math.ceil(ageSeconds * 1000) } },
    ],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Percent', value: 100, periodSeconds: syncSeconds },
          { type: 'Pods', value: Math.max(4, Math.ceil(most / 2)), periodSeconds: syncSeconds },
        ],
      },
      scaleDown: {
        stabilizationWindowSeconds: windowSeconds,
        selectPolicy: 'Max',
        policies: [{ type: 'Percent', value: 100, periodSeconds: syncSeconds }],
      },
    },
  };
}

/** Longer than the metrics are late and a pod drains: else pods are taken away for what was long ago, and wanted back. */
function scaleDownWindowSeconds({ metricLagSeconds, metricSampleSeconds, drainSeconds }: PlanWorld): number {
  const longest = metricLagSeconds + metricSampleSeconds + drainSeconds + syncSeconds;
  return Math.ceil(longest / scaleDownWindowStepSeconds) * scaleDownWindowStepSeconds;
}

/** Pods that settle all that arrives within any deadline's time, when they begin as late as metrics and starts make them. */
function replicasNeeded({ trace, deadlineSeconds, world }: PlanRequest): number {
  const late = world.metricLagSeconds + world.metricSampleSeconds + syncSeconds + world.startSeconds;
  const workSeconds = Math.max(1, deadlineSeconds - late);
  let pile = 0;
  let largest = 0;
  for (let second = 0; second < trace.readings.length; second += 1) {
    pile += (trace.readings[second] as number) - (trace.readings[second - workSeconds] ?? 0);
    largest = Math.max(largest, pile);
  }
  return Math.max(1, Math.ceil(largest / (workSeconds * world.readingsPerPodSecond)));
}
