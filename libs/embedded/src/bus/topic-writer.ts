import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock, OutgoingMessage } from '@meterflow/stage';
import { storeError, transaction } from '../database.ts';
import { openTopicFile, type TopicPosition } from './topic-file.ts';

/** Calls that wait together share one commit, up to this many bytes of payload. */
const commitBytesMax = 16 * 1024 * 1024;

interface Waiting {
  readonly messages: readonly OutgoingMessage[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Appends to one topic. Calls made in the same turn of the event loop share one transaction and one sync. */
export class TopicWriter {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #database: DatabaseSync;
  readonly #last: StatementSync;
  readonly #insert: StatementSync;
  #waiting: Waiting[] = [];

  constructor(file: string, clock: Clock, bytesMax: number) {
    this.#file = file;
    this.#clock = clock;
    this.#database = openTopicFile(file, { durability: 'full', bytesMax });
    this.#last = this.#database.prepare('select seq, publishedAtMs, endBytes from messages order by seq desc limit 1');
    this.#insert = this.#database.prepare('insert into messages values (?, ?, ?, ?, ?)');
  }

  /** Resolves when the messages are on the disk, all or none of them. */
  append(messages: readonly OutgoingMessage[]): Promise<void> {
    const bytes = messages.reduce((sum, message) => sum + message.payload.length, 0);
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ messages, bytes, resolve, reject }) === 1) {
        setImmediate(() => {
          this.flush();
        });
      }
    });
  }

  /** Commits what waits. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const group of commitGroups(waiting)) {
      try {
        transaction(this.#database, () => {
          this.#insertAll(group);
        });
        group.forEach(({ resolve }) => {
          resolve();
        });
      } catch (error) {
        const named = storeError(error, this.#file);
        group.forEach(({ reject }) => {
          reject(named);
        });
      }
    }
  }

  close(): void {
    this.flush();
    this.#database.close();
  }

  #insertAll(group: readonly Waiting[]): void {
    const last = this.#last.get() as TopicPosition | undefined;
    let seq = last?.seq ?? 0;
    let endBytes = last?.endBytes ?? 0;
    // Never backwards, whatever the clock does: a replay finds its first message by bisection.
    const publishedAtMs = Math.max(Math.trunc(this.#clock.nowMs()), last?.publishedAtMs ?? 0);
    for (const { messages } of group) {
      for (const { attributes, payload } of messages) {
        seq += 1;
        endBytes += payload.length;
        this.#insert.run(seq, publishedAtMs, endBytes, JSON.stringify(attributes), payload);
      }
    }
  }
}

function commitGroups(waiting: readonly Waiting[]): Waiting[][] {
  const groups: Waiting[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const call of waiting) {
    if (bytes + call.bytes > commitBytesMax) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(call);
    bytes += call.bytes;
  }
  return groups;
}
