import type { DatabaseSync } from 'node:sqlite';
import type { DataDirectory } from '../data-directory.ts';
import { storeError, transaction } from '../database.ts';
import { openSubscriptionFile } from './subscription-file.ts';
import { openTopicFile } from './topic-file.ts';
import { Topology } from './topology.ts';

/**
 * The bus's files as those see them who declare, count, replay and trim: connections of their own, opened once. (A
 * connection does not see its own commits as changes, so publishers and receivers have theirs.)
 */
export class BusFiles {
  readonly directory: DataDirectory;
  readonly topology: Topology;
  readonly #opened = new Map<string, DatabaseSync>();

  constructor(directory: DataDirectory) {
    this.directory = directory;
    this.topology = new Topology(directory.topology);
  }

  onTopic<Result>(name: string, work: (topic: DatabaseSync) => Result): Result {
    return this.#on(this.directory.topic(name), (file) => openTopicFile(file, 'normal'), work);
  }

  onSubscription<Result>(name: string, work: (subscription: DatabaseSync) => Result): Result {
    return this.#on(this.directory.subscription(name), openSubscriptionFile, work);
  }

  /** Runs `work` while nobody else declares, replays or trims. */
  alone<Result>(work: () => Result): Result {
    try {
      return transaction(this.topology.database, work);
    } catch (error) {
      throw storeError(error, this.topology.file);
    }
  }

  close(): void {
    this.#opened.forEach((database) => {
      database.close();
    });
    this.#opened.clear();
    this.topology.close();
  }

  #on<Result>(file: string, open: (file: string) => DatabaseSync, work: (database: DatabaseSync) => Result): Result {
    try {
      const database = this.#opened.get(file) ?? open(file);
      this.#opened.set(file, database);
      return work(database);
    } catch (error) {
      throw storeError(error, file);
    }
  }
}
