import { fromBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { goldenMessages } from './testing/golden-messages.ts';
import { lanes, messageAttributes, subscriptionName, topicName, topology, type MessageType } from './topics.ts';

test('every lane has every topic, with the subscriptions of the stages that read it', () => {
  expect(topology(['live'])).toEqual([
    { topic: 'readings.pushed.live', subscriptions: ['ingest.live'] },
    { topic: 'readings.accepted.live', subscriptions: ['rule-execution.live', 'persistence-raw.live'] },
    { topic: 'readings.transformed.live', subscriptions: ['persistence-validated.live'] },
    { topic: 'readings.stored.raw.live', subscriptions: ['series-flows.live'] },
    { topic: 'readings.stored.validated.live', subscriptions: ['aggregation.live'] },
    { topic: 'days.due.live', subscriptions: ['days-due.live'] },
    { topic: 'aggregates.live', subscriptions: ['persistence-aggregates.live'] },
    { topic: 'aggregates.stored.live', subscriptions: ['aggregation-parents.live'] },
    { topic: 'contributions.stored.live', subscriptions: ['aggregation-nodes.live'] },
    { topic: 'days.closed.live', subscriptions: ['days-closed.live'] },
    { topic: 'windows.complete.live', subscriptions: [] },
  ]);
  expect(topology(lanes)).toHaveLength(22);
  expect(topology(lanes).map(({ topic }) => topic)).toContain(topicName('readings.accepted', 'bulk'));
});

test('a warehouse has subscriptions of its own, which are there only where it is', () => {
  const names = (warehouse: boolean): readonly string[] =>
    topology(['bulk'], { warehouse }).flatMap(({ subscriptions }) => subscriptions);
  const own = names(true).filter((name) => !names(false).includes(name));
  expect(own).toEqual(['bigquery-raw.bulk', 'bigquery-validated.bulk', 'bigquery-aggregates.bulk']);
});

test('a subscription is named once, so that its name alone says what it reads', () => {
  const names = topology(lanes, { warehouse: true }).flatMap(({ subscriptions }) => subscriptions);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain(subscriptionName('persistence-raw', 'bulk'));
});

test('a lane that no broker would take in a name is refused', () => {
  for (const lane of ['', 'Live', 'a.b', 'a/b', '-a', 'a-', '1a', 'a'.repeat(33)]) {
    expect(() => topicName('aggregates', lane), lane).toThrow(RangeError);
  }
  expect(topicName('aggregates', 'tenant-7')).toBe('aggregates.tenant-7');
});

test('the attributes name the message type of the .proto files, its format and the tenant', () => {
  for (const { kind, payload } of goldenMessages()) {
    const message = fromBinary(kind.schema, payload) as unknown as { format: number };
    expect(messageAttributes(kind.name as MessageType, 'acme')).toEqual({
      'content-type': `application/x-protobuf; messageType="${kind.schema.typeName}"`,
      format: String(message.format),
      tenant: 'acme',
    });
  }
});
