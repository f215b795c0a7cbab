import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../database.ts';
import { prepared } from '../prepared.ts';

/**
 * One subscription: how far it has read its topic and its retry topic, and a row for each message that was handed out
 * and is not acked yet. `id` is 2 × the message's number, + 1 for the retry topic. A row without owner was given back;
 * the message is due again at `dueAtMs`: then its lease has run out, or its delay is over.
 */
const subscriptionSchema = `
create table position (
  one integer primary key check (one = 1),
  epoch integer not null,
  cursor integer not null,
  retryCursor integer not null
) strict;
create table unsettled (
  id integer primary key,
  epoch integer not null,
  owner text not null,
  dueAtMs integer not null,
  attempts integer not null,
  publishedAtMs integer not null,
  bytes integer not null
) strict;
insert into position values (1, 1, 0, 0);`;

export interface SubscriptionPosition {
  readonly epoch: number;
  readonly cursor: number;
  readonly retryCursor: number;
}

export interface UnsettledMessage {
  readonly id: number;
  readonly attempts: number;
  readonly publishedAtMs: number;
  readonly bytes: number;
}

export const noOwner = '';

export function openSubscriptionFile(file: string): DatabaseSync {
  return openDatabase(file, { schema: subscriptionSchema, formatVersion: 1, durability: 'normal' });
}

export function positionOf(subscription: DatabaseSync): SubscriptionPosition {
  const row = prepared(subscription, 'select epoch, cursor, retryCursor from position').get();
  return row as unknown as SubscriptionPosition;
}

/** Up to which message of its topic and of its retry topic everything is acked. */
export function settledUpTo(subscription: DatabaseSync): { readonly topic: number; readonly retry: number } {
  // One statement: between two, a consumer could move the cursor past a message that it has just leased.
  const row = subscription
    .prepare(
      `select cursor, retryCursor,
         (select min(id) from unsettled where id % 2 = 0) as oldest,
         (select min(id) from unsettled where id % 2 = 1) as oldestRetry
       from position`,
    )
    .get() as { cursor: number; retryCursor: number; oldest: number | null; oldestRetry: number | null };
  return {
    topic: row.oldest === null ? row.cursor : Math.min(row.cursor, row.oldest / 2 - 1),
    retry: row.oldestRetry === null ? row.retryCursor : Math.min(row.retryCursor, (row.oldestRetry - 1) / 2 - 1),
  };
}
