import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { LeasedMessage } from '@meterflow/stage';
import { transaction } from '../database.ts';
import {
  noOwner,
  openSubscriptionFile,
  type SubscriptionPosition,
  type UnsettledMessage,
} from './subscription-file.ts';
import type { TopicMessage, TopicReader } from './topic-reader.ts';

export interface LeaseRequest {
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly nowMs: number;
  readonly leasedUntilMs: number;
}

/** What one subscription has handed out, and to whom. Several processes work on the file; each call is one transaction. */
export class Leases {
  readonly #owner: string;
  readonly #topics: readonly [TopicReader, TopicReader];
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  /** `topics`: the topic and the retry topic, in the order that ids tell them apart by. */
  constructor(file: string, owner: string, topics: readonly [TopicReader, TopicReader]) {
    this.#owner = owner;
    this.#topics = topics;
    this.#database = openSubscriptionFile(file);
    this.#statements = prepare(this.#database);
  }

  /** Raised by each replay. */
  epoch(): number {
    return this.#position().epoch;
  }

  /** Another number after each commit of another connection. */
  version(): number {
    return (this.#statements.version.get() as { data_version: number }).data_version;
  }

  /** When the next message that was handed out comes again; Infinity when none is out. */
  nextDueAtMs(): number {
    const { dueAtMs } = this.#statements.nextDue.get() as { dueAtMs: number | null };
    return dueAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** Leases what is due again, then what was retried, then what is new. */
  take(request: LeaseRequest): LeasedMessage[] {
    return transaction(this.#database, () => {
      const position = this.#position();
      const taking = new Taking(request, position.epoch);
      this.#takeDue(taking);
      const retryCursor = this.#takeNew(taking, 1, position.retryCursor);
      const cursor = this.#takeNew(taking, 0, position.cursor);
      if (cursor !== position.cursor || retryCursor !== position.retryCursor) {
        this.#statements.move.run(cursor, retryCursor);
      }
      return taking.messages;
    });
  }

  /** Settles; returns how many were no longer leased to this owner. */
  ack(messages: readonly LeasedMessage[]): number {
    return this.#each(messages, (id, epoch) => this.#statements.settle.run(id, this.#owner, epoch).changes);
  }

  /** Gives back until `dueAtMs`; returns how many were no longer leased to this owner. */
  nack(messages: readonly LeasedMessage[], dueAtMs: number): number {
    return this.#each(messages, (id, epoch) => this.#statements.giveBack.run(dueAtMs, id, this.#owner, epoch).changes);
  }

  /** Prolongs; returns how many were no longer leased to this owner. */
  extend(messages: readonly LeasedMessage[], leasedUntilMs: number): number {
    return this.#each(
      messages,
      (id, epoch) => this.#statements.extend.run(leasedUntilMs, id, this.#owner, epoch).changes,
    );
  }

  close(): void {
    this.#database.close();
  }

  #position(): SubscriptionPosition {
    return this.#statements.position.get() as unknown as SubscriptionPosition;
  }

  #takeDue(taking: Taking): void {
    const { nowMs, leasedUntilMs } = taking.request;
    for (const row of this.#statements.due.all(nowMs, taking.messagesLeft) as unknown as UnsettledMessage[]) {
      if (!taking.fits(row.bytes)) {
        return;
      }
      const seq = Math.floor(row.id / 2);
      const message = this.#topics[row.id % 2 === 0 ? 0 : 1].between(seq, seq)[0];
      if (message === undefined) {
        // It was settled and trimmed, and the power cut after that took the ack back.
        this.#statements.forget.run(row.id);
        continue;
      }
      this.#statements.leaseAgain.run(taking.epoch, this.#owner, leasedUntilMs, row.id);
      taking.add(row.id, message, row.attempts + 1);
    }
  }

  /** Returns the new cursor. */
  #takeNew(taking: Taking, topic: 0 | 1, cursor: number): number {
    if (taking.messagesLeft === 0) {
      return cursor;
    }
    const sizes = this.#topics[topic].sizesAfter(cursor, taking.messagesLeft);
    const fitting = taking.fitting(sizes.map(({ bytes }) => bytes));
    const last = sizes[fitting - 1];
    if (last === undefined) {
      return cursor;
    }
    for (const message of this.#topics[topic].between(cursor + 1, last.seq)) {
      const id = message.seq * 2 + topic;
      const { publishedAtMs, payload } = message;
      const { leasedUntilMs } = taking.request;
      this.#statements.lease.run(id, taking.epoch, this.#owner, leasedUntilMs, 1, publishedAtMs, payload.length);
      taking.add(id, message, 1);
    }
    return last.seq;
  }

  #each(messages: readonly LeasedMessage[], change: (id: number, epoch: number) => number | bigint): number {
    return transaction(this.#database, () =>
      messages.reduce((lost, message) => {
        const [epoch, id] = message.id.split('.').map(Number);
        const changed = epoch !== undefined && id !== undefined && Number(change(id, epoch)) > 0;
        return changed ? lost : lost + 1;
      }, 0),
    );
  }
}

/** The messages of one call as they are gathered, within its bounds. */
class Taking {
  readonly request: LeaseRequest;
  readonly epoch: number;
  readonly messages: LeasedMessage[] = [];
  #bytes = 0;

  constructor(request: LeaseRequest, epoch: number) {
    this.request = request;
    this.epoch = epoch;
  }

  get messagesLeft(): number {
    return this.request.messagesMax - this.messages.length;
  }

  fits(bytes: number): boolean {
    return this.fitting([bytes]) === 1;
  }

  /** How many of the next messages may be added. The very first may always: it could never come otherwise. */
  fitting(sizes: readonly number[]): number {
    let bytes = this.#bytes;
    const beyond = sizes.findIndex((size, index) => {
      bytes += size;
      return bytes > this.request.bytesMax && index + this.messages.length > 0;
    });
    return beyond === -1 ? sizes.length : beyond;
  }

  add(id: number, message: TopicMessage, deliveryAttempt: number): void {
    const { publishedAtMs, payload } = message;
    const attributes = JSON.parse(message.attributes) as Record<string, string>;
    this.#bytes += payload.length;
    // The epoch tells a lease from before a replay from one after it.
    this.messages.push({ id: `${this.epoch}.${id}`, payload, attributes, publishedAtMs, deliveryAttempt });
  }
}

function prepare(
  database: DatabaseSync,
): Record<
  | 'version'
  | 'position'
  | 'move'
  | 'nextDue'
  | 'due'
  | 'lease'
  | 'leaseAgain'
  | 'forget'
  | 'settle'
  | 'giveBack'
  | 'extend',
  StatementSync
> {
  const held = 'where id = ? and owner = ? and epoch = ?';
  return {
    version: database.prepare('pragma data_version'),
    position: database.prepare('select epoch, cursor, retryCursor from position'),
    move: database.prepare('update position set cursor = ?, retryCursor = ?'),
    nextDue: database.prepare('select min(dueAtMs) as dueAtMs from unsettled'),
    due: database.prepare(
      'select id, attempts, publishedAtMs, bytes from unsettled where dueAtMs <= ? order by id limit ?',
    ),
    lease: database.prepare('insert into unsettled values (?, ?, ?, ?, ?, ?, ?)'),
    leaseAgain: database.prepare(
      'update unsettled set attempts = attempts + 1, epoch = ?, owner = ?, dueAtMs = ? where id = ?',
    ),
    forget: database.prepare('delete from unsettled where id = ?'),
    settle: database.prepare(`delete from unsettled ${held}`),
    giveBack: database.prepare(`update unsettled set owner = '${noOwner}', dueAtMs = ? ${held}`),
    extend: database.prepare(`update unsettled set dueAtMs = ? ${held}`),
  };
}
