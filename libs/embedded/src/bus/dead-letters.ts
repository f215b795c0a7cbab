import type { DatabaseSync } from 'node:sqlite';
import {
  retryTopicOf,
  type DeadLetter,
  type DeadLetterIds,
  type DeadLetterLine,
  type DeadLetterQuery,
  type DeadLetterStore,
  type ErasableLetters,
  type ErasedLetters,
  type LetterErasure,
  type RetryOptions,
} from '@meterflow/stage';
import type { DataDirectory } from '../data-directory.ts';
import { overwriting, storeError, transaction } from '../database.ts';
import { openDeadLetterFile } from './dead-letter-file.ts';
import { eraseFromPut, eraseLetters, foundLetters, purgeLetter } from './erase-letters.ts';

/** Bounds one transaction and the memory of one retry. */
const retryLettersMax = 64;

/** Opens the dead letters of a data directory; all stages and commands share the file. */
export function openDeadLetters({ directory }: { readonly directory: DataDirectory }): DeadLetters {
  return new DeadLetters(directory);
}

/** Dead letters and parked batches on one machine. Every change is on the disk before it resolves. */
export class DeadLetters implements DeadLetterStore, ErasableLetters {
  readonly #directory: DataDirectory;
  readonly #file: string;
  readonly #database: DatabaseSync;

  constructor(directory: DataDirectory) {
    this.#directory = directory;
    this.#file = directory.state('dead-letters');
    this.#database = openDeadLetterFile(directory);
  }

  async put(letters: readonly DeadLetter[]): Promise<void> {
    await this.#write(() => {
      for (const letter of letters) {
        if (this.#isPurged(letter.id)) {
          // The id names the content: this is what was dropped for good, come once more since its ack was lost.
          this.#insertCauses(letter);
        } else {
          this.#remove(letter.id);
          this.#insert(letter);
        }
      }
      const tenants = new Set(letters.map(({ tenant }) => tenant));
      eraseFromPut(
        this.#database,
        letters.map(({ id }) => id),
        tenants,
      );
    });
  }

  /** Newest first. */
  // eslint-disable-next-line @typescript-eslint/require-await -- the file is read at once; errors reject
  async list(query: DeadLetterQuery): Promise<readonly DeadLetterLine[]> {
    const equal = (['state', 'stage', 'tenant', 'reasonCode'] as const).filter((column) => query[column] !== undefined);
    const conditions = equal.map((column) => `${column} = :${column}`);
    const parameters: Record<string, string | number> = { limit: query.limit };
    equal.forEach((column) => (parameters[column] = query[column] ?? ''));
    if (query.before !== undefined) {
      conditions.push('(atMs, id) < (:beforeAtMs, :beforeId)');
      parameters['beforeAtMs'] = query.before.atMs;
      parameters['beforeId'] = query.before.id;
    }
    const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
    const rows = this.#named(() =>
      this.#database
        .prepare(
          `select id, state, stage, subscription, key, tenant, reasonCode, reason, atMs, length(payload) as payloadBytes
           from letters ${where} order by atMs desc, id desc limit :limit`,
        )
        .all(parameters),
    );
    return rows as unknown as DeadLetterLine[];
  }

  /** Undefined when there is none of this id, or when it was purged. */
  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async show(id: string): Promise<DeadLetter | undefined> {
    return this.#named(() => this.#letter(id));
  }

  /**
   * Publishes each to the retry topic of its subscription, and removes it once that is on the disk: killed in between, it
   * is published again by the next retry and absorbed by its key. Resolves with the ids that were retried.
   */
  async retry(ids: DeadLetterIds, { publisher, restamp }: RetryOptions): Promise<DeadLetterIds> {
    const retried: string[] = [];
    for (let from = 0; from < ids.length; from += retryLettersMax) {
      const letters = ids
        .slice(from, from + retryLettersMax)
        .flatMap((id) => this.#named(() => this.#letter(id)) ?? []);
      await publisher.publish(
        letters.map((letter) => ({
          topic: retryTopicOf(letter.subscription),
          payload: restamp === undefined ? letter.payload : restamp(letter),
          attributes: letter.attributes,
        })),
      );
      await this.#write(() => {
        // Not one that was put again while it was published: that one tells of a later failure.
        letters.forEach(({ id, atMs }) => {
          this.#remove(id, atMs);
        });
      });
      retried.push(...letters.map(({ id }) => id));
    }
    return retried;
  }

  /** Drops their payloads for good. What they stand for in the ledger stays. Resolves with the ids that were purged. */
  async purge(ids: DeadLetterIds): Promise<DeadLetterIds> {
    return this.#write(() => {
      const purge = this.#database.prepare(purgeLetter);
      return ids.filter((id) => Number(purge.run(id).changes) > 0);
    });
  }

  /** See ErasableLetters. */
  async erase(erasure: LetterErasure): Promise<ErasedLetters> {
    const database = openDeadLetterFile(this.#directory);
    try {
      return await overwriting(database, () => Promise.resolve(eraseLetters(database, erasure)));
    } catch (error) {
      throw storeError(error, this.#file);
    } finally {
      database.close();
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the file is read at once; errors reject
  async found(erasure: LetterErasure): Promise<number> {
    return this.#named(() => foundLetters(this.#database, erasure));
  }

  /** How many there are of each state. */
  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async counts(): Promise<Readonly<Record<DeadLetterLine['state'], number>>> {
    const counts = { dead: 0, parked: 0, purged: 0 };
    const rows = this.#named(() =>
      this.#database.prepare('select state, count(*) as letters from letters group by state').all(),
    );
    for (const { state, letters } of rows as { state: DeadLetterLine['state']; letters: number }[]) {
      counts[state] = letters;
    }
    return counts;
  }

  close(): void {
    this.#database.close();
  }

  #insert(letter: DeadLetter): void {
    const { id, state, stage, subscription, key, tenant, reasonCode, reason, attributes, atMs, payload } = letter;
    this.#database
      .prepare('insert into letters values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(id, state, stage, subscription, key, tenant, reasonCode, reason, JSON.stringify(attributes), atMs, payload);
    this.#insertCauses(letter);
  }

  #insertCauses({ id, causes, layers }: DeadLetter): void {
    const insert = this.#database.prepare('insert or ignore into causes values (?, ?, ?, ?, ?, ?)');
    for (const cause of causes) {
      for (const layer of layers) {
        insert.run(id, cause.sourceId, cause.key, cause.part, cause.parts, layer);
      }
    }
  }

  #isPurged(id: string): boolean {
    return this.#database.prepare("select 1 from letters where id = ? and state = 'purged'").get(id) !== undefined;
  }

  #remove(id: string, atMs?: number): void {
    const row = this.#database.prepare('select atMs from letters where id = ?').get(id);
    if (row === undefined || (atMs !== undefined && row['atMs'] !== atMs)) {
      return;
    }
    this.#database.prepare('delete from causes where id = ?').run(id);
    this.#database.prepare('delete from letters where id = ?').run(id);
  }

  #letter(id: string): DeadLetter | undefined {
    const row = this.#database.prepare("select * from letters where id = ? and state <> 'purged'").get(id);
    if (row === undefined) {
      return undefined;
    }
    const rows = this.#database
      .prepare('select sourceId, key, part, parts, layer from causes where id = ? order by sourceId, key, part')
      .all(id) as unknown as (DeadLetter['causes'][number] & { readonly layer: string })[];
    const causes = new Map(
      rows.map(({ sourceId, key, part, parts }) => [`${sourceId} ${key} ${part}`, { sourceId, key, part, parts }]),
    );
    return {
      ...(row as unknown as DeadLetter),
      attributes: JSON.parse(String(row['attributes'])) as Record<string, string>,
      causes: [...causes.values()],
      layers: [...new Set(rows.map(({ layer }) => layer))],
    };
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the file is written at once; errors reject
  async #write<Result>(work: () => Result): Promise<Result> {
    return this.#named(() => transaction(this.#database, work));
  }

  #named<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw storeError(error, this.#file);
    }
  }
}
