import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../database.ts';

/**
 * One topic: its messages in the order of their commits. `endBytes` counts the payload bytes of all messages ever
 * published up to and with this one, so that the size of any span is one subtraction. The newest message is never
 * trimmed: numbering and counting go on from it.
 */
const topicSchema = `
create table messages (
  seq integer primary key,
  publishedAtMs integer not null,
  endBytes integer not null,
  attributes text not null,
  payload blob not null
) strict;`;

/** A message of 16 to 64 KB fills a few of them, and a commit of one small message rewrites only one. */
const topicPageBytes = 16_384;
export const topicBytesMaxDefault = 64 * 1024 ** 3;

export interface TopicFileOptions {
  readonly bytesMax: number;
  /** Only what publishes needs its commits synced. */
  readonly durability: 'full' | 'normal';
}

export function openTopicFile(file: string, options: TopicFileOptions): DatabaseSync {
  return openDatabase(file, { schema: topicSchema, formatVersion: 1, pageBytes: topicPageBytes, ...options });
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
}

export function topicEnds(database: DatabaseSync): TopicEnds {
  const columns = 'select seq, publishedAtMs, endBytes from messages';
  return {
    first: database.prepare(`${columns} order by seq limit 1`).get() as TopicPosition | undefined,
    last: database.prepare(`${columns} order by seq desc limit 1`).get() as TopicPosition | undefined,
  };
}
