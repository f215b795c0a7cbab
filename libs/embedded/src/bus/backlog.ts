import type { DatabaseSync } from 'node:sqlite';
import type { SubscriptionBacklog } from '@meterflow/service';
import { retryTopicOf } from '@meterflow/stage';
import { prepared } from '../prepared.ts';
import type { BusFiles } from './bus-files.ts';
import { noOwner, positionOf } from './subscription-file.ts';
import { spanAfter, type TopicSpan } from './topic-span.ts';
import type { Subscription } from './topology.ts';

/** Of one subscription: a few look-ups, however long it is. */
export function backlogOf(files: BusFiles, { name, topic }: Subscription): SubscriptionBacklog {
  return files.onSubscription(name, (subscription) => {
    // The position last: what is leased in between is counted twice rather than not at all.
    const handedOut = handedOutOf(subscription);
    const { cursor, retryCursor } = positionOf(subscription);
    const spans: TopicSpan[] = [
      handedOut,
      files.onTopic(topic, (database) => spanAfter(database, cursor)),
      files.onTopic(retryTopicOf(name), (database) => spanAfter(database, retryCursor)),
    ];
    const oldest = spans.flatMap(({ oldestPublishedAtMs }) => oldestPublishedAtMs ?? []);
    return {
      subscription: name,
      topic,
      messages: spans.reduce((sum, { messages }) => sum + messages, 0),
      bytes: spans.reduce((sum, { bytes }) => sum + bytes, 0),
      oldestPublishedAtMs: oldest.length === 0 ? undefined : Math.min(...oldest),
      leased: handedOut.leased,
    };
  });
}

function handedOutOf(subscription: DatabaseSync): TopicSpan & { readonly leased: number } {
  const row = prepared(
    subscription,
    `select count(*) as messages, coalesce(sum(bytes), 0) as bytes, min(publishedAtMs) as oldest,
       coalesce(sum(owner <> ?), 0) as leased
     from unsettled`,
  ).get(noOwner) as { messages: number; bytes: number; oldest: number | null; leased: number };
  return {
    messages: row.messages,
    bytes: row.bytes,
    oldestPublishedAtMs: row.oldest ?? undefined,
    leased: row.leased,
  };
}
