import { FatalError, retryTopicOf } from '@meterflow/stage';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../database.ts';

const topologySchema = `
create table topics (name text primary key) strict, without rowid;
create table subscriptions (name text primary key, topic text not null) strict, without rowid;`;

export interface Subscription {
  readonly name: string;
  readonly topic: string;
}

/** Its name is part of a file's name. */
const namePattern = /^[a-z0-9][a-z0-9._-]{0,119}$/;

/**
 * Which topics and subscriptions there are. Also the mutex between declaring, replaying and trimming: each holds this
 * file's write lock, so that no message is trimmed that a new subscription is about to stand before.
 */
export class Topology {
  readonly file: string;
  readonly database: DatabaseSync;
  readonly #topics = new Set<string>();

  constructor(file: string) {
    this.file = file;
    this.database = openDatabase(file, { schema: topologySchema, formatVersion: 1, durability: 'full' });
  }

  /** Throws FatalError for a topic that nobody declared: this process is wired wrongly. */
  checkTopic(name: string): void {
    if (this.#topics.has(name)) {
      return;
    }
    this.topics().forEach((topic) => this.#topics.add(topic));
    if (!this.#topics.has(name)) {
      throw new FatalError(`There is no topic ${name}. Declare it before publishing to it.`);
    }
  }

  topics(): readonly string[] {
    return this.database
      .prepare('select name from topics order by name')
      .all()
      .map((row) => String(row['name']));
  }

  subscriptions(): readonly Subscription[] {
    const rows = this.database.prepare('select name, topic from subscriptions order by name').all();
    return rows as unknown as Subscription[];
  }

  /** Throws FatalError when there is no such subscription. */
  subscription(name: string): Subscription {
    const row = this.database.prepare('select name, topic from subscriptions where name = ?').get(name);
    if (row === undefined) {
      throw new FatalError(`There is no subscription ${name}. Declare it before receiving from it.`);
    }
    return row as unknown as Subscription;
  }

  /** The subscription whose retry topic this is. */
  subscriptionOfRetryTopic(topic: string): string | undefined {
    return this.subscriptions().find(({ name }) => retryTopicOf(name) === topic)?.name;
  }

  /** Within a transaction of `database`. */
  addTopic(name: string): void {
    this.database.prepare('insert or ignore into topics values (?)').run(checkedName(name));
  }

  /** Within a transaction of `database`. False when it was there; throws FatalError when on another topic. */
  isNew(subscription: Subscription): boolean {
    const found = this.database.prepare('select topic from subscriptions where name = ?').get(subscription.name);
    if (found !== undefined && found['topic'] !== subscription.topic) {
      throw new FatalError(
        `The subscription ${subscription.name} is on ${String(found['topic'])}, not on ${subscription.topic}.`,
      );
    }
    return found === undefined;
  }

  /** Within a transaction of `database`. */
  addSubscription({ name, topic }: Subscription): void {
    this.addTopic(retryTopicOf(checkedName(name)));
    this.database.prepare('insert into subscriptions values (?, ?)').run(name, topic);
  }

  close(): void {
    this.database.close();
  }
}

function checkedName(name: string): string {
  if (!namePattern.test(name)) {
    throw new FatalError(`"${name}" can't name a topic or a subscription: only a-z, 0-9, dot, dash and underscore.`);
  }
  return name;
}
