import { messageFormat } from './carried-fields.ts';

/**
 * The stages once more, with topics, subscriptions and scaling of their own. Which ones there are is configuration;
 * these are there to begin with: `live` for pushes, `bulk` for files and backfills.
 */
export const lanes = ['live', 'bulk'] as const;
export type Lane = string;

/**
 * Every topic and who listens to it; each exists once a lane. What the embedded bus and the provisioning declare. A
 * subscription keeps every message until someone acks it: only those that a running stage reads stand here.
 */
export const subscriptionsByTopic = {
  /** Where providers publish; everything else is ours. */
  'readings.pushed': ['ingest'],
  'readings.accepted': ['rule-execution', 'persistence-raw'],
  'readings.transformed': ['persistence-validated'],
  'readings.stored.raw': ['series-flows'],
  'readings.stored.validated': ['aggregation'],
  'days.due': ['days-due'],
  aggregates: ['persistence-aggregates'],
  'aggregates.stored': ['aggregation-parents'],
  'contributions.stored': ['aggregation-nodes'],
  'days.closed': ['days-closed'],
  /** For others: no stage reads it, so whoever wants it makes a subscription of their own. */
  'windows.complete': [],
} as const;

/** And those of a warehouse beside the primary store: declared only where there is one, for nobody else would read them. */
export const warehouseSubscriptionsByTopic = {
  'readings.pushed': [],
  'readings.accepted': ['bigquery-raw'],
  'readings.transformed': ['bigquery-validated'],
  'readings.stored.raw': [],
  'readings.stored.validated': [],
  'days.due': [],
  aggregates: ['bigquery-aggregates'],
  'aggregates.stored': [],
  'contributions.stored': [],
  'days.closed': [],
  'windows.complete': [],
} as const satisfies Record<Topic, readonly string[]>;

export type Topic = keyof typeof subscriptionsByTopic;
type WarehouseSubscription = (typeof warehouseSubscriptionsByTopic)[Topic][number];
export type Subscription = (typeof subscriptionsByTopic)[Topic][number] | WarehouseSubscription;

export const lanePattern = /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

export function topicName(topic: Topic, lane: Lane): string {
  return `${topic}.${laneName(lane)}`;
}

export function subscriptionName(subscription: Subscription, lane: Lane): string {
  return `${subscription}.${laneName(lane)}`;
}

/** Throws RangeError: lanes come from configuration, and a wrong one should stop the start. */
function laneName(lane: Lane): string {
  if (!lanePattern.test(lane)) {
    throw new RangeError(`"${lane}" is not a lane: 1 to 32 of a-z, 0-9 and inner -, a letter first`);
  }
  return lane;
}

export interface TopicDeclaration {
  readonly topic: string;
  readonly subscriptions: readonly string[];
}

/** What has to be declared for the given lanes, and for a warehouse where there is one. */
export function topology(
  lanesUsed: readonly Lane[],
  { warehouse = false }: { readonly warehouse?: boolean } = {},
): readonly TopicDeclaration[] {
  return lanesUsed.flatMap((lane) =>
    (Object.keys(subscriptionsByTopic) as Topic[]).map((topic) => ({
      topic: topicName(topic, lane),
      subscriptions: [...subscriptionsByTopic[topic], ...(warehouse ? warehouseSubscriptionsByTopic[topic] : [])].map(
        (subscription) => subscriptionName(subscription, lane),
      ),
    })),
  );
}

export type MessageType = 'ReadingBatch' | 'StoredNotice' | 'AggregateBatch' | 'AggregatesStored' | 'WindowsComplete';

/** What stands on a message beside its bytes, for brokers, dead letters and people: what they are, and whose. */
export function messageAttributes(type: MessageType, tenant: string): Readonly<Record<string, string>> {
  return {
    'content-type': `application/x-protobuf; messageType="meterflow.v1.${type}"`,
    format: String(messageFormat),
    tenant,
  };
}
