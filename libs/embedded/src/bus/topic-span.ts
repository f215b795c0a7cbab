import type { DatabaseSync } from 'node:sqlite';
import { prepared } from '../prepared.ts';
import { topicEnds } from './topic-file.ts';

/** The number of the last message published before `fromMs`; 0 when none is kept. Publish times never go backwards. */
export function lastSeqBefore(topic: DatabaseSync, fromMs: number): number {
  const { first, last } = topicEnds(topic);
  if (first === undefined || last === undefined) {
    return 0;
  }
  const publishedAt = topic.prepare('select publishedAtMs from messages where seq = ?');
  let low = first.seq;
  let high = last.seq + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = publishedAt.get(middle) as { publishedAtMs: number };
    if (row.publishedAtMs < fromMs) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

export interface TopicSpan {
  readonly messages: number;
  readonly bytes: number;
  /** When the first of them was published. */
  readonly oldestPublishedAtMs: number | undefined;
}

/** Everything after message `seq`. Numbers have no gaps, so that this costs three look-ups however long it is. */
export function spanAfter(topic: DatabaseSync, seq: number): TopicSpan {
  const { last } = topicEnds(topic);
  const next = prepared(
    topic,
    'select seq, publishedAtMs, endBytes - bytes as startBytes from messages where seq > ? order by seq limit 1',
  ).get(seq) as { seq: number; publishedAtMs: number; startBytes: number } | undefined;
  if (last === undefined || next === undefined) {
    return { messages: 0, bytes: 0, oldestPublishedAtMs: undefined };
  }
  return {
    messages: last.seq - next.seq + 1,
    bytes: last.endBytes - next.startBytes,
    oldestPublishedAtMs: next.publishedAtMs,
  };
}
