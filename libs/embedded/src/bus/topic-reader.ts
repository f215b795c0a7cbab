import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { storeError } from '../database.ts';
import { openTopicFile } from './topic-file.ts';

export interface TopicMessage {
  readonly seq: number;
  readonly publishedAtMs: number;
  readonly attributes: string;
  readonly payload: Uint8Array;
}

export interface MessageSize {
  readonly seq: number;
  readonly bytes: number;
}

/** Reads one topic. Its own connection, so that `version` tells of what publishers of this process commit, too. */
export class TopicReader {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #version: StatementSync;
  readonly #sizes: StatementSync;
  readonly #read: StatementSync;

  constructor(file: string, bytesMax: number) {
    this.#file = file;
    this.#database = openTopicFile(file, { durability: 'normal', bytesMax });
    this.#version = this.#database.prepare('pragma data_version');
    // `length` of a blob comes from the row's header: the payload is not read.
    this.#sizes = this.#database.prepare(
      'select seq, length(payload) as bytes from messages where seq > ? order by seq limit ?',
    );
    this.#read = this.#database.prepare(
      'select seq, publishedAtMs, attributes, payload from messages where seq between ? and ? order by seq',
    );
  }

  /** Another number after each commit of another connection. */
  version(): number {
    return this.#named(() => (this.#version.get() as { data_version: number }).data_version);
  }

  /** The messages after `seq`, their sizes alone. */
  sizesAfter(seq: number, messagesMax: number): readonly MessageSize[] {
    return this.#named(() => this.#sizes.all(seq, messagesMax) as unknown as MessageSize[]);
  }

  /** Messages with `from` ≤ seq ≤ `to`. */
  between(from: number, to: number): readonly TopicMessage[] {
    return this.#named(() => this.#read.all(from, to) as unknown as TopicMessage[]);
  }

  close(): void {
    this.#database.close();
  }

  #named<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw storeError(error, this.#file);
    }
  }
}
