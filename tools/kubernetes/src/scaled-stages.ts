import { subscriptionName, type Subscription } from '@meterflow/contracts';

/** A stage that scales on what waits for it, once a lane. */
export interface ScaledStage {
  readonly service: string;
  readonly subscriptions: readonly Subscription[];
}

/** What an autoscaler of one stage in one lane aims at. */
export interface ScalingTarget {
  readonly replicasMin: number;
  readonly replicasMax: number;
  /** Where nothing scales, and pods are sized instead. */
  readonly replicasFixed: number;
  /** A pod's share of what waits on a subscription. */
  readonly backlogMessages: number;
  /** A pod's share of the oldest message's age: its age, divided by the pods. */
  readonly ageSeconds: number;
  /** Longer than sampling (60 s) + the metric's lag (180 s) + a drain (30 s): else pods go whose work is not yet seen. */
  readonly downWindowSeconds: number;
  /** Messages that one more Job is worth, where the lane's stages run as Jobs. */
  readonly jobMessages: number;
  /** The command that these come from. */
  readonly measuredBy: string;
}

/** Each stage, with everything that it reads: a subscription that nobody scales for would grow old unseen. */
export const scaledStages: readonly ScaledStage[] = [
  { service: 'rule-execution', subscriptions: ['rule-execution', 'series-flows', 'days-due'] },
  { service: 'aggregation', subscriptions: ['aggregation', 'aggregation-parents', 'aggregation-nodes', 'days-closed'] },
  { service: 'persistence', subscriptions: ['persistence-raw', 'persistence-validated', 'persistence-aggregates'] },
];

/** Not one a lane: its pods answer requests as well, and take in what waits on the providers' topics of all lanes. */
export const ingestStage: ScaledStage = { service: 'ingest', subscriptions: ['ingest'] };

/**
 * A pod's share of the requests that are in work: where a push waits for a quarter of a second and, of a hundred, one for half. It is
 * half of what a pod has of one tenant, and a quarter of all that it has (apps/ingest/src/limits.ts): more find room while pods start.
 */
export const requestsInFlight = 16;
/** Where that shows: from four on, more at once bring no more a second. */
export const requestsInFlightMeasuredBy = 'npm run bench -- door';

/** Stages that a process runs, but that nothing scales. */
export const warehouseStage: ScaledStage = {
  service: 'persistence-bigquery',
  subscriptions: ['bigquery-raw', 'bigquery-validated', 'bigquery-aggregates'],
};

/**
 * `meterflow plan` counts readings, Pub/Sub messages. A message is a batch of 1,000 to 4,000 readings: the fewest, so that
 * a backlog is never taken for less than it is.
 */
const readingsPerMessage = 1_000;

/** Pushes each quarter of an hour, ten billion readings a day; the most pods are what an outage of an hour takes. */
const live: ScalingTarget = {
  replicasMin: 2,
  replicasMax: 9,
  replicasFixed: 2,
  backlogMessages: 1_800_000 / readingsPerMessage,
  ageSeconds: 225,
  downWindowSeconds: 300,
  jobMessages: 9_000_000 / readingsPerMessage,
  measuredBy:
    'meterflow plan --trace quarter-hour-push --deadline 15m --readings-per-day 1e10; the most pods: --trace outage',
};

/** A day's files at midnight, a billion readings, done within a quarter of an hour. */
const bulk: ScalingTarget = {
  replicasMin: 2,
  replicasMax: 7,
  replicasFixed: 3,
  backlogMessages: 36_000_000 / readingsPerMessage,
  ageSeconds: 64,
  downWindowSeconds: 300,
  jobMessages: 63_000_000 / readingsPerMessage,
  measuredBy: 'meterflow plan --trace daily-files --deadline 15m',
};

/** The lane whose stages may run as Jobs: bursts of long work, with nothing between them. */
export const jobsLane = 'bulk';

/** Of lanes that are not named here: as for live readings. */
export function scalingTarget(lane: string): ScalingTarget {
  return lane === 'bulk' ? bulk : live;
}

export function subscriptionsOf(stage: ScaledStage, lane: string): readonly string[] {
  return stage.subscriptions.map((subscription) => subscriptionName(subscription, lane));
}
