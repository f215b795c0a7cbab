import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../database.ts';
import { topicEnds } from './topic-file.ts';

/** What is kept of settled messages for a replay: those that are young enough, as many as fit. */
export interface Retention {
  readonly retentionMs: number;
  readonly retentionBytesMax: number;
}

/** One step holds the topic's write lock for a few milliseconds. */
const trimMessagesMax = 64;

/** Removes the oldest messages that are settled (up to `settled`) and no longer retained; returns how many. */
export function trimStep(
  topic: DatabaseSync,
  settled: number,
  options: Retention & { readonly nowMs: number },
): number {
  const { first, last } = topicEnds(topic);
  if (first === undefined || last === undefined) {
    return 0;
  }
  const youngFromMs = options.nowMs - options.retentionMs;
  const bytesFrom = last.endBytes - options.retentionBytesMax;
  const dispensable = topic
    .prepare(
      `select max(seq) as seq from (
         select seq, publishedAtMs, endBytes from messages where seq <= ? and seq < ? order by seq limit ?
       ) where publishedAtMs < ? or endBytes <= ?`,
    )
    .get(settled, last.seq, trimMessagesMax, youngFromMs, bytesFrom) as { seq: number | null };
  if (dispensable.seq === null) {
    return 0;
  }
  const { seq } = dispensable;
  return Number(transaction(topic, () => topic.prepare('delete from messages where seq <= ?').run(seq)).changes);
}
