import {
  retryTopicOf,
  TransientError,
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
import { inFlight } from '../client/in-flight.ts';
import { callsInFlightMax } from '../client/limits.ts';
import type { Table } from '../client/table.ts';
import type { LedgerRows } from '../ledger/ledger-rows.ts';
import { under } from '../rows/key-hash.ts';
import { LetterErasures, remainderUnder } from './letter-erasures.ts';
import {
  allNames,
  failedRows,
  headOf,
  headOnly,
  isPurged,
  letterKey,
  letterMutations,
  nameMutation,
  parseHead,
  parseLetter,
  purgedHead,
  putAt,
  timeKey,
  timeOf,
  timeRows,
  unnameMutation,
  wholeLetter,
  type LetterHead,
} from './letter-row.ts';

/** Bounds the memory of one retry. */
const retryLettersMax = 64;
const pageRows = 500;
const everything = { from: Buffer.of(0), to: Buffer.alloc(0) };
/** Others may change a letter while it is erased. */
const attemptsMax = 20;

/** Dead letters and parked batches in Bigtable. */
export class BigtableDeadLetters implements DeadLetterStore, ErasableLetters {
  readonly #table: Table;
  readonly #ledger: LedgerRows;
  readonly #erasures: LetterErasures;

  constructor(table: Table, ledger: LedgerRows) {
    this.#table = table;
    this.#ledger = ledger;
    this.#erasures = new LetterErasures(table);
  }

  async put(letters: readonly DeadLetter[]): Promise<void> {
    const last = new Map(letters.map((letter) => [letter.id, letter]));
    await inFlight([...last.values()], callsInFlightMax, async (letter) => {
      await this.#put(letter);
      await this.#settle(letter);
    });
  }

  async list(query: DeadLetterQuery): Promise<readonly DeadLetterLine[]> {
    const { limit, before } = query;
    const lines: DeadLetterLine[] = [];
    const all = under(timeRows);
    const from = before === undefined ? all.from : timeKey(before.atMs);
    for await (const { key, cells } of this.#table.scan({ from, to: all.to }, allNames, pageRows)) {
      const atMs = timeOf(key);
      const ids = cells.map(({ qualifier }) => qualifier.toString()).sort((a, b) => (a < b ? 1 : -1));
      const left = ids.filter((id) => before === undefined || atMs < before.atMs || id < before.id);
      for (const head of await this.#heads(left)) {
        // One that was put again is named by another time too.
        if (head?.atMs === atMs && matches(head, query)) {
          lines.push(lineOf(head));
        }
      }
      if (lines.length >= limit) {
        break;
      }
    }
    return lines.slice(0, limit);
  }

  async show(id: string): Promise<DeadLetter | undefined> {
    return parseLetter(await this.#table.readRow(letterKey(id), wholeLetter));
  }

  async retry(ids: DeadLetterIds, { publisher, restamp }: RetryOptions): Promise<DeadLetterIds> {
    const retried: string[] = [];
    for (let from = 0; from < ids.length; from += retryLettersMax) {
      const found = await Promise.all(ids.slice(from, from + retryLettersMax).map((id) => this.show(id)));
      const letters = found.filter((letter) => letter !== undefined);
      await publisher.publish(
        letters.map((letter) => ({
          topic: retryTopicOf(letter.subscription),
          payload: restamp === undefined ? letter.payload : restamp(letter),
          attributes: letter.attributes,
        })),
      );
      await inFlight(letters, callsInFlightMax, (letter) => this.#remove(headOf(letter)));
      retried.push(...letters.map(({ id }) => id));
    }
    return retried;
  }

  async purge(ids: DeadLetterIds): Promise<DeadLetterIds> {
    const purged = await inFlight(ids, callsInFlightMax, async (id) => {
      const letter = await this.show(id);
      return letter !== undefined && (await this.#purge(headOf(letter))) ? [id] : [];
    });
    return purged.flat();
  }

  async counts(): Promise<Readonly<Record<DeadLetterLine['state'], number>>> {
    const counts = { dead: 0, parked: 0, purged: 0 };
    for await (const row of this.#table.scan(everything, headOnly, pageRows)) {
      const state = parseHead(row)?.state;
      if (state !== undefined) {
        counts[state] += 1;
      }
    }
    return counts;
  }

  /** 1. The tombstone: what is put from now on is held against it; 2. the letters that are there. */
  async erase(erasure: LetterErasure): Promise<ErasedLetters> {
    const erased = { purged: 0, reduced: 0 };
    await this.#erasures.put(erasure);
    for await (const { id, tenant, state } of this.standing()) {
      const done =
        tenant === erasure.tenant && state !== 'purged' ? await this.#settle({ id, tenant }, erasure) : 'kept';
      if (done !== 'kept') {
        erased[done] += 1;
      }
    }
    return erased;
  }

  async found(erasure: LetterErasure): Promise<number> {
    let found = 0;
    for await (const { id, tenant } of this.standing()) {
      const letter = tenant === erasure.tenant ? await this.show(id) : undefined;
      const holds = letter !== undefined && remainderUnder(letter, [{ ...erasure, unsure: 'drop' }]) !== letter.payload;
      found += holds ? 1 : 0;
    }
    return found;
  }

  /** By stage and key, those that are not purged: for the canonical export. */
  async *standing(): AsyncGenerator<DeadLetterLine> {
    for await (const row of this.#table.scan(everything, headOnly, pageRows)) {
      const head = parseHead(row);
      if (head !== undefined && head.state !== 'purged') {
        yield lineOf(head);
      }
    }
  }

  /**
   * 1. The ledger's rows of the letter as it was go, 2. those of the letter as it is come, 3. it gets its place in the
   * lists, 4. then it is there. Ended in between, its message comes again, and all is done once more.
   */
  async #put(letter: DeadLetter): Promise<void> {
    const head = headOf(letter);
    const before = parseHead(await this.#table.readRow(letterKey(letter.id), headOnly));
    if (before?.state === 'purged') {
      // The id names the content: this is what was dropped for good, come once more since its ack was lost.
      await this.#ledger.fail([failedRows({ ...head, state: 'purged', atMs: before.atMs })]);
      return;
    }
    if (before !== undefined) {
      await this.#ledger.unfail([failedRows(before)]);
    }
    await this.#ledger.fail([failedRows(head)]);
    await this.#table.mutate([{ key: timeKey(head.atMs), mutations: [nameMutation(head.id, head.atMs)] }]);
    await this.#table.check({
      key: letterKey(head.id),
      predicate: isPurged,
      whenFalse: letterMutations(head, letter.payload),
    });
    if (before !== undefined && before.atMs !== head.atMs) {
      await this.#unname(before);
    }
  }

  /**
   * Drops of a letter what was erased, after it was put: whoever put it may not have known of an erasure, nor an erasure of
   * it. Looks again until there is nothing to drop, as another may have written what it had read before.
   */
  async #settle(
    { id, tenant }: Pick<DeadLetter, 'id' | 'tenant'>,
    dropped?: LetterErasure,
  ): Promise<keyof ErasedLetters | 'kept'> {
    let done: keyof ErasedLetters | 'kept' = 'kept';
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const known = (await this.#erasures.of(tenant)).map((rule) => ({ ...rule, unsure: 'keep' as const }));
      const rules = dropped === undefined ? known : [{ ...dropped, unsure: 'drop' as const }, ...known];
      const letter = rules.length === 0 ? undefined : await this.show(id);
      const left = letter === undefined ? undefined : remainderUnder(letter, rules);
      if (letter === undefined || left === letter.payload) {
        return done;
      }
      done = left === undefined ? 'purged' : 'reduced';
      await (left === undefined ? this.#purge(headOf(letter)) : this.#reduce(letter, left));
    }
    throw new TransientError(`${attemptsMax} others were faster to change the dead letter ${id}`);
  }

  /** Not one that was put again meanwhile. */
  async #reduce(letter: DeadLetter, payload: Uint8Array): Promise<void> {
    await this.#table.check({
      key: letterKey(letter.id),
      predicate: putAt(letter.atMs),
      whenTrue: letterMutations(headOf({ ...letter, reason: '', payload }), payload),
    });
  }

  /** The ledger first: a letter without rows is retried once more, rows without a letter would stay for ever. */
  async #remove(head: LetterHead): Promise<void> {
    await this.#ledger.unfail([failedRows(head)]);
    const { matched } = await this.#table.check({
      key: letterKey(head.id),
      predicate: putAt(head.atMs),
      whenTrue: [{ removeRow: true }],
    });
    if (matched) {
      await this.#unname(head);
    }
  }

  /** False where another was faster. */
  async #purge(head: LetterHead): Promise<boolean> {
    const purged = purgedHead(head);
    const { matched } = await this.#table.check({
      key: letterKey(head.id),
      predicate: putAt(head.atMs),
      whenTrue: letterMutations(purged),
    });
    if (matched && head.state === 'parked') {
      await this.#ledger.fail([failedRows(purged)]);
    }
    return matched;
  }

  async #unname({ id, atMs }: LetterHead): Promise<void> {
    await this.#table.mutate([{ key: timeKey(atMs), mutations: [unnameMutation(id)] }]);
  }

  /** In the order of the ids. */
  async #heads(ids: readonly string[]): Promise<(LetterHead | undefined)[]> {
    const rows = await this.#table.read({ keys: ids.map(letterKey), filter: headOnly });
    const byId = new Map(rows.map((row) => [row.key.toString('latin1'), parseHead(row)]));
    return ids.map((id) => byId.get(letterKey(id).toString('latin1')));
  }
}

function matches(head: LetterHead, query: DeadLetterQuery): boolean {
  return (['state', 'stage', 'tenant', 'reasonCode'] as const).every(
    (field) => query[field] === undefined || query[field] === head[field],
  );
}

function lineOf(head: LetterHead): DeadLetterLine {
  const { id, state, stage, subscription, key, tenant, reasonCode, reason, atMs, payloadBytes } = head;
  return { id, state, stage, subscription, key, tenant, reasonCode, reason, atMs, payloadBytes };
}
