import { subscriptionName, topology, type TopicDeclaration } from '@meterflow/contracts';

/** The one lane that the proof runs in: lanes are the same stages once more. */
export const lane = 'live';

/** The topic of providers hands its messages to the same `takeIn` that sources are handed to here. */
const left = 'ingest';

/** What the stages of the proof listen to. */
export function proofTopology(lanes: readonly string[]): readonly TopicDeclaration[] {
  const leftOut = new Set(lanes.map((each) => subscriptionName(left, each)));
  return topology(lanes).map(({ topic, subscriptions }) => ({
    topic,
    subscriptions: subscriptions.filter((name) => !leftOut.has(name)),
  }));
}
