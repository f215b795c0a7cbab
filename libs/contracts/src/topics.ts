/** The stages once more, with subscriptions and scaling of their own: `live` for pushes, `bulk` for files and backfills. */
export const lanes = ['live', 'bulk'] as const;
export type Lane = (typeof lanes)[number];

/** Every topic and who listens to it; each exists once a lane. What the embedded bus and the provisioning declare. */
export const subscriptionsByTopic = {
  'readings.accepted': ['rule-execution', 'persistence-raw'],
  'readings.transformed': ['persistence-validated'],
  'readings.stored.raw': [],
  'readings.stored.validated': ['aggregation'],
  aggregates: ['persistence-aggregates'],
  'aggregates.stored': ['aggregation-parents'],
} as const;

export type Topic = keyof typeof subscriptionsByTopic;
export type Subscription = (typeof subscriptionsByTopic)[Topic][number];

export function topicName(topic: Topic, lane: Lane): string {
  return `${topic}.${lane}`;
}

export function subscriptionName(subscription: Subscription, lane: Lane): string {
  return `${subscription}.${lane}`;
}

export interface TopicDeclaration {
  readonly topic: string;
  readonly subscriptions: readonly string[];
}

/** What has to be declared for the given lanes. */
export function topology(lanesUsed: readonly Lane[]): readonly TopicDeclaration[] {
  return lanesUsed.flatMap((lane) =>
    (Object.keys(subscriptionsByTopic) as Topic[]).map((topic) => ({
      topic: topicName(topic, lane),
      subscriptions: subscriptionsByTopic[topic].map((subscription) => subscriptionName(subscription, lane)),
    })),
  );
}

export type MessageType = 'ReadingBatch' | 'StoredNotice' | 'AggregateBatch' | 'AggregatesStored';

/** What stands on a message beside its bytes: what they are, and whose. */
export function messageAttributes(type: MessageType, tenant: string): Readonly<Record<string, string>> {
  return { 'content-type': `application/x-protobuf; messageType="meterflow.v1.${type}"`, tenant };
}
