import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Claim, Deduper } from '@meterflow/dedupe';
import type { Clock } from '@meterflow/stage';
import type { DataDirectory } from '../data-directory.ts';
import { openDatabase, storeError, transaction } from '../database.ts';

/**
 * Keys in work are few and change often, keys done are many and come once: a table each, so that a group's claims touch
 * a page or two.
 */
const deduperSchema = `
create table claims (
  key text primary key,
  owner text not null,
  leasedUntilMs integer not null,
  handling integer not null,
  deaths integer not null
) strict, without rowid;
create index claimsByLease on claims (leasedUntilMs);
create table done (
  key text primary key,
  doneUntilMs integer not null
) strict, without rowid;
create index doneByTime on done (doneUntilMs);`;

/** A claim that nobody took up again is forgotten, its deaths with it. */
const claimKeptMs = 24 * 60 * 60 * 1000;
/** How many expired rows go for each new one: more than one, so that they never pile up. */
const sweptPerKey = 2;

export interface DeduperOptions {
  readonly directory: DataDirectory;
  readonly subscription: string;
  readonly clock: Clock;
}

/** Opens what a subscription remembers of keys. Its processes share the file. */
export function openDeduper(options: DeduperOptions): EmbeddedDeduper {
  return new EmbeddedDeduper(options.directory.dedupe(options.subscription), options.clock);
}

interface ClaimRow {
  readonly owner: string;
  readonly leasedUntilMs: number;
  readonly handling: number;
  readonly deaths: number;
}

interface Lease {
  readonly owner: string;
  readonly leaseMs: number;
}

/** Marks done and claims on one machine. A power cut may lose the last of them: a message is then handled once more. */
export class EmbeddedDeduper implements Deduper {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
    this.#database = openDatabase(file, { schema: deduperSchema, formatVersion: 1, durability: 'normal' });
    this.#statements = prepare(this.#database);
  }

  claim(keys: readonly string[], lease: Lease): Promise<readonly Claim[]> {
    return this.#together((nowMs) => keys.map((key) => this.#claimOne(key, lease, nowMs)));
  }

  renew(keys: readonly string[], { owner, leaseMs }: Lease): Promise<readonly boolean[]> {
    return this.#together((nowMs) =>
      keys.map((key) => Number(this.#statements.renew.run(nowMs + leaseMs, key, owner).changes) > 0),
    );
  }

  async markHandling(keys: readonly string[], owner: string, handling: boolean): Promise<void> {
    await this.#together(() => {
      keys.forEach((key) => this.#statements.mark.run(handling ? 1 : 0, key, owner));
    });
  }

  done(
    keys: readonly string[],
    { owner, doneTtlMs }: { readonly owner: string; readonly doneTtlMs: number },
  ): Promise<readonly boolean[]> {
    return this.#together((nowMs) => {
      const marked = keys.map((key) => this.#doneOne(key, owner, { nowMs, doneTtlMs }));
      this.#statements.sweepDone.run(nowMs, keys.length * sweptPerKey);
      this.#statements.sweepClaims.run(nowMs - claimKeptMs, keys.length * sweptPerKey);
      return marked;
    });
  }

  async release(keys: readonly string[], owner: string): Promise<void> {
    await this.#together(() => {
      keys.forEach((key) => {
        // Deaths are remembered until the key is done.
        this.#statements.forgetDeathless.run(key, owner);
        this.#statements.release.run(key, owner);
      });
    });
  }

  async forget(keys: readonly string[], owner: string): Promise<void> {
    await this.#together(() => {
      keys.forEach((key) => this.#statements.forget.run(key, owner));
    });
  }

  /**
   * Ends the leases of dead processes at once; returns how many. Called by whoever starts the processes, with the same
   * judgement as the bus's `releaseLeases`.
   */
  expireLeases(isDead: (owner: string) => boolean): number {
    const owners = this.#database.prepare("select distinct owner from claims where owner <> ''").all();
    const dead = owners.map((row) => String(row['owner'])).filter(isDead);
    const nowMs = Math.trunc(this.#clock.nowMs());
    const expire = this.#database.prepare('update claims set leasedUntilMs = ? where owner = ? and leasedUntilMs > ?');
    return transaction(this.#database, () =>
      dead.reduce((sum, owner) => sum + Number(expire.run(nowMs, owner, nowMs).changes), 0),
    );
  }

  close(): void {
    this.#database.close();
  }

  #claimOne(key: string, { owner, leaseMs }: Lease, nowMs: number): Claim {
    if (this.#statements.isDone.get(key, nowMs) !== undefined) {
      return { state: 'done' };
    }
    const row = this.#statements.find.get(key) as ClaimRow | undefined;
    const last = claimOfOther(row, owner);
    if (last !== undefined && last.leasedUntilMs > nowMs) {
      return { state: 'held', expiresAtMs: last.leasedUntilMs };
    }
    const ownerDied = last !== undefined;
    const deaths = (row?.deaths ?? 0) + (last?.handling ?? 0);
    const handling = row?.owner === owner ? row.handling : 0;
    this.#statements.claim.run(key, owner, nowMs + leaseMs, handling, deaths);
    return { state: 'claimed', ownerDied, deaths };
  }

  #doneOne(key: string, owner: string, { nowMs, doneTtlMs }: { nowMs: number; doneTtlMs: number }): boolean {
    const last = claimOfOther(this.#statements.find.get(key) as ClaimRow | undefined, owner);
    if (last !== undefined && last.leasedUntilMs > nowMs) {
      return false;
    }
    this.#statements.done.run(key, nowMs + doneTtlMs);
    this.#statements.unclaim.run(key);
    return true;
  }

  /** A whole group in one transaction. */
  // eslint-disable-next-line @typescript-eslint/require-await -- the file is written at once; errors reject
  async #together<Result>(work: (nowMs: number) => Result): Promise<Result> {
    try {
      const nowMs = Math.trunc(this.#clock.nowMs());
      return transaction(this.#database, () => work(nowMs));
    } catch (error) {
      throw storeError(error, this.#file);
    }
  }
}

/** The claim, if it is another owner's. */
function claimOfOther(row: ClaimRow | undefined, owner: string): ClaimRow | undefined {
  return row !== undefined && row.owner !== '' && row.owner !== owner ? row : undefined;
}

type Statements = Record<
  | 'isDone'
  | 'find'
  | 'claim'
  | 'renew'
  | 'mark'
  | 'done'
  | 'unclaim'
  | 'release'
  | 'forgetDeathless'
  | 'forget'
  | 'sweepDone'
  | 'sweepClaims',
  StatementSync
>;

function prepare(database: DatabaseSync): Statements {
  return {
    isDone: database.prepare('select 1 from done where key = ? and doneUntilMs > ?'),
    find: database.prepare('select owner, leasedUntilMs, handling, deaths from claims where key = ?'),
    claim: database.prepare('insert or replace into claims values (?, ?, ?, ?, ?)'),
    // A lease that ran out is still its owner's as long as nobody else has claimed the key.
    renew: database.prepare('update claims set leasedUntilMs = ? where key = ? and owner = ?'),
    mark: database.prepare('update claims set handling = ? where key = ? and owner = ?'),
    done: database.prepare('insert or replace into done values (?, ?)'),
    unclaim: database.prepare('delete from claims where key = ?'),
    release: database.prepare("update claims set owner = '', handling = 0 where key = ? and owner = ?"),
    forgetDeathless: database.prepare('delete from claims where key = ? and owner = ? and deaths = 0'),
    forget: database.prepare('delete from claims where key = ? and owner = ?'),
    sweepDone: database.prepare(
      'delete from done where key in (select key from done where doneUntilMs <= ? order by doneUntilMs limit ?)',
    ),
    sweepClaims: database.prepare(
      'delete from claims where key in (select key from claims where leasedUntilMs <= ? order by leasedUntilMs limit ?)',
    ),
  };
}
