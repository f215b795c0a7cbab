import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { LeasedMessage } from '@meterflow/stage';
import { transaction } from '../database.ts';
import {
  noOwner,
  openSubscriptionFile,
  type SubscriptionPosition,
  type UnsettledMessage,
} from './subscription-file.ts';
import type { MessageRow } from './payload-reader.ts';
import type { TopicReader } from './topic-reader.ts';

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
    for (const { id, bytes, attempts } of this.#due(nowMs, taking.messagesLeft)) {
      if (taking.fitting([bytes]) === 0) {
        return;
      }
      const topic = this.#topics[id % 2 === 0 ? 0 : 1];
      const row = topic.rowAt(Math.floor(id / 2));
      if (row === undefined) {
        // It was settled and trimmed, and the power cut after that took the ack back.
        this.#statements.forget.run(id);
        continue;
      }
      this.#statements.leaseAgain.run(taking.epoch, this.#owner, leasedUntilMs, id);
      taking.add({ id, row, payload: topic.payloads([row])[0], deliveryAttempt: attempts + 1 });
    }
  }

  #due(nowMs: number, messagesMax: number): readonly UnsettledMessage[] {
    return this.#statements.due.all(nowMs, messagesMax) as unknown as UnsettledMessage[];
  }

  /** Returns the new cursor. */
  #takeNew(taking: Taking, topic: 0 | 1, cursor: number): number {
    if (taking.messagesLeft === 0) {
      return cursor;
    }
    const next = this.#topics[topic].rowsAfter(cursor, taking.messagesLeft);
    const rows = next.slice(0, taking.fitting(next.map(({ bytes }) => bytes)));
    const payloads = this.#topics[topic].payloads(rows);
    const { leasedUntilMs } = taking.request;
    rows.forEach((row, index) => {
      const id = row.seq * 2 + topic;
      this.#statements.lease.run(id, taking.epoch, this.#owner, leasedUntilMs, 1, row.publishedAtMs, row.bytes);
      taking.add({ id, row, payload: payloads[index], deliveryAttempt: 1 });
    });
    return rows.at(-1)?.seq ?? cursor;
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

  /** How many of the next messages may be added. The very first may always: it could never come otherwise. */
  fitting(sizes: readonly number[]): number {
    let bytes = this.#bytes;
    const beyond = sizes.findIndex((size, index) => {
      bytes += size;
      return bytes > this.request.bytesMax && index + this.messages.length > 0;
    });
    return beyond === -1 ? sizes.length : beyond;
  }

  add({ id, row, payload = new Uint8Array(0), deliveryAttempt }: Delivery): void {
    const attributes = JSON.parse(row.attributes) as Record<string, string>;
    this.#bytes += row.bytes;
    // The epoch tells a lease from before a replay from one after it.
    const message = {
      id: `${this.epoch}.${id}`,
      payload,
      attributes,
      publishedAtMs: row.publishedAtMs,
      deliveryAttempt,
    };
    this.messages.push(message);
  }
}

interface Delivery {
  readonly id: number;
  readonly row: MessageRow;
  readonly payload: Uint8Array | undefined;
  readonly deliveryAttempt: number;
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
