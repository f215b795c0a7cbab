import type { ExternalMetric } from './hpa-spec.ts';
import { int32 } from './int32.ts';

/** How far a metric may be off its target, as a share of it, before anything changes. */
export interface Tolerances {
  readonly scaleUp: number;
  readonly scaleDown: number;
}

/** What the controller sees of the target at one sync. */
export interface ObservedScale {
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly podCount: number;
  readonly readyPodCount: number;
  /** A metric's value in thousandths, summed over its series; undefined where the metrics API fails. */
  milliOf(metric: ExternalMetric): number | undefined;
}

interface ProposalOptions {
  readonly tolerances: Tolerances;
  readonly scale: ObservedScale;
}

/**
 * The replicas that all metrics together ask for, which is the most that any asks for; undefined where the controller
 * leaves all as it is: every metric fails, or one fails and the others would scale down.
 */
export function proposedReplicas(metrics: readonly ExternalMetric[], options: ProposalOptions): number | undefined {
  let replicas = 0;
  let failed = 0;
  for (const metric of metrics) {
    const proposal = proposalOf(metric, options);
    if (proposal === undefined) {
      failed += 1;
    } else if (replicas === 0 || proposal > replicas) {
      replicas = proposal;
    }
  }
  const unknown = failed >= metrics.length || (failed > 0 && replicas < options.scale.specReplicas);
  return unknown ? undefined : replicas;
}

function proposalOf(metric: ExternalMetric, { tolerances, scale }: ProposalOptions): number | undefined {
  const milli = scale.milliOf(metric);
  if (milli === undefined) {
    return undefined;
  }
  return metric.target.type === 'averageValue'
    ? byAverage(milli, metric.target.milli, { tolerances, scale })
    : byValue(milli / metric.target.milli, { tolerances, scale });
}

/** Looks at no pod: the backlog over what one pod is meant to have. */
function byAverage(milli: number, targetMilli: number, { tolerances, scale }: ProposalOptions): number {
  const ratio = milli / (targetMilli * scale.statusReplicas);
  return within(tolerances, ratio) ? scale.statusReplicas : int32(Math.ceil(milli / targetMilli));
}

/** Multiplies the ready pods, so a value that falls late makes them grow at every sync. */
function byValue(ratio: number, { tolerances, scale }: ProposalOptions): number | undefined {
  if (scale.specReplicas === 0) {
    return int32(Math.ceil(ratio));
  }
  if (within(tolerances, ratio)) {
    return scale.specReplicas;
  }
  return scale.podCount === 0 ? undefined : int32(Math.ceil(ratio * scale.readyPodCount));
}

function within({ scaleUp, scaleDown }: Tolerances, ratio: number): boolean {
  return 1 - scaleDown <= ratio && ratio <= 1 + scaleUp;
}
