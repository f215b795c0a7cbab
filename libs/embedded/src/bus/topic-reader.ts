import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { storeError } from '../database.ts';
import { PayloadReader, type MessageRow } from './payload-reader.ts';
import { openTopicFile } from './topic-file.ts';

/** Reads one topic. Its own connection, so that `version` tells of what publishers of this process commit, too. */
export class TopicReader {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #version: StatementSync;
  readonly #after: StatementSync;
  readonly #at: StatementSync;
  readonly #payloads: PayloadReader;

  constructor(file: string) {
    this.#file = file;
    this.#database = openTopicFile(file, 'normal');
    this.#payloads = new PayloadReader(file);
    const columns = 'select seq, publishedAtMs, attributes, bytes, payload, segment, offset from messages';
    this.#version = this.#database.prepare('pragma data_version');
    this.#after = this.#database.prepare(`${columns} where seq > ? order by seq limit ?`);
    this.#at = this.#database.prepare(`${columns} where seq = ?`);
  }

  /** Another number after each commit of another connection. */
  version(): number {
    return this.#named(() => (this.#version.get() as { data_version: number }).data_version);
  }

  /** The next messages after `seq`. */
  rowsAfter(seq: number, messagesMax: number): readonly MessageRow[] {
    return this.#named(() => this.#after.all(seq, messagesMax) as unknown as MessageRow[]);
  }

  /** Undefined when it was trimmed. */
  rowAt(seq: number): MessageRow | undefined {
    return this.#named(() => this.#at.get(seq) as MessageRow | undefined);
  }

  payloads(rows: readonly MessageRow[]): Uint8Array[] {
    return this.#named(() => this.#payloads.payloads(rows));
  }

  close(): void {
    this.#payloads.close();
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
