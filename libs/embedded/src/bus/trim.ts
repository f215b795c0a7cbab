import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { durably } from '../database.ts';
import { segmentFile, topicEnds } from './topic-file.ts';

/** What is kept of settled messages for a replay: those that are young enough, as many as fit. */
export interface Retention {
  readonly retentionMs: number;
  readonly retentionBytesMax: number;
}

export interface TrimOptions extends Retention {
  readonly nowMs: number;
  /** Up to which message everything is acked by every subscription. */
  readonly settled: number;
}

/** One step holds the topic's write lock for a few milliseconds. */
const trimMessagesMax = 256;

/** Removes the oldest messages that are settled and no longer retained; returns how many. */
export function trimStep(file: string, topic: DatabaseSync, options: TrimOptions): number {
  const { last } = topicEnds(topic);
  if (last === undefined) {
    return 0;
  }
  const { seq } = topic
    .prepare(
      `select max(seq) as seq from (
         select seq, publishedAtMs, endBytes - bytes as startBytes from messages where seq <= ? and seq < ? order by seq limit ?
       ) where publishedAtMs < ? or startBytes < ?`,
    )
    .get(
      options.settled,
      last.seq,
      trimMessagesMax,
      options.nowMs - options.retentionMs,
      last.endBytes - options.retentionBytesMax,
    ) as { seq: number | null };
  return seq === null ? 0 : removeUpTo(file, topic, seq);
}

function removeUpTo(file: string, topic: DatabaseSync, seq: number): number {
  const remove = topic.prepare('delete from messages where seq <= ?');
  const removeSegments = topic.prepare('delete from segments where lastSeq <= ? returning id');
  const { removed, segments } = durably(topic, () => ({
    removed: Number(remove.run(seq).changes),
    segments: removeSegments.all(seq).map((row) => Number(row['id'])),
  }));
  // After the commit, and that on the disk: no row may speak of a file that is gone, not after a power cut either.
  segments.forEach((segment) => {
    rmSync(segmentFile(file, segment), { force: true });
  });
  return removed;
}
