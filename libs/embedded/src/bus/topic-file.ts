import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../database.ts';
import { prepared } from '../prepared.ts';

/**
 * One topic: its messages in the order of their commits. Small payloads lie in their rows, large ones in a segment: a
 * plain file beside this one, written and synced before the row is (SQLite would write it twice, and a checkpoint is
 * most of what a message costs). `endBytes` counts the payload bytes of all messages ever published up to and with this
 * one, so that the size of any span is one subtraction. The newest message is never trimmed: counting goes on from it.
 */
const topicSchema = `
create table messages (
  seq integer primary key,
  publishedAtMs integer not null,
  endBytes integer not null,
  attributes text not null,
  bytes integer not null,
  payload blob,
  segment integer,
  offset integer
) strict;
-- lastSeq: no message after it lies in the segment, so that it goes when that one is trimmed.
create table segments (id integer primary key autoincrement, lastSeq integer not null) strict;`;

/** Payloads up to here lie in their row; and so do all of a commit that is small altogether: it then needs one sync. */
export const inlineBytesMax = 2_048;
export const inlineCommitBytesMax = 65_536;
/** In a segment payloads begin where a float64 column may, so that typed arrays lie over them as they are. */
export const payloadAlignment = 8;

export function openTopicFile(file: string, durability: 'full' | 'normal'): DatabaseSync {
  return openDatabase(file, { schema: topicSchema, formatVersion: 1, durability });
}

/** Where a segment of the topic lies. */
export function segmentFile(topicFile: string, segment: number): string {
  return `${topicFile}.payloads-${segment}`;
}

/** The first and last message kept. */
export interface TopicEnds {
  readonly first: TopicPosition | undefined;
  readonly last: TopicPosition | undefined;
}

export interface TopicPosition {
  readonly seq: number;
  readonly publishedAtMs: number;
  readonly endBytes: number;
  readonly bytes: number;
}

export function topicEnds(database: DatabaseSync): TopicEnds {
  return {
    first: prepared(database, `${position} order by seq limit 1`).get() as TopicPosition | undefined,
    last: prepared(database, `${position} order by seq desc limit 1`).get() as TopicPosition | undefined,
  };
}

const position = 'select seq, publishedAtMs, endBytes, bytes from messages';
