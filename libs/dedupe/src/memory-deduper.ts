import type { Claim, Deduper } from './deduper.ts';

export interface MemoryDeduperOptions {
  readonly nowMs: () => number;
  /** Beyond it the oldest claims and marks are forgotten: their messages may then be handled once more. */
  readonly keysMax: number;
}

interface Holding {
  /** Empty when the last owner gave it back. */
  readonly owner: string;
  readonly leasedUntilMs: number;
  readonly handling: boolean;
  readonly deaths: number;
}

interface Lease {
  readonly owner: string;
  readonly leaseMs: number;
}

/** How many expired marks go for each new one: more than one, so that they never pile up. */
const sweptPerKey = 2;

/** Remembers within one process, and no longer than it lives: for tests and for stages that run alone. */
export class MemoryDeduper implements Deduper {
  readonly #nowMs: () => number;
  readonly #keysMax: number;
  readonly #claims = new Map<string, Holding>();
  readonly #doneUntilMs = new Map<string, number>();

  constructor({ nowMs, keysMax }: MemoryDeduperOptions) {
    this.#nowMs = nowMs;
    this.#keysMax = keysMax;
  }

  claim(keys: readonly string[], lease: Lease): Promise<readonly Claim[]> {
    return Promise.resolve(keys.map((key) => this.#claimOne(key, lease)));
  }

  renew(keys: readonly string[], { owner, leaseMs }: Lease): Promise<readonly boolean[]> {
    return Promise.resolve(keys.map((key) => this.#change(key, owner, { leasedUntilMs: this.#nowMs() + leaseMs })));
  }

  markHandling(keys: readonly string[], owner: string, handling: boolean): Promise<void> {
    keys.forEach((key) => this.#change(key, owner, { handling }));
    return Promise.resolve();
  }

  done(
    keys: readonly string[],
    { owner, doneTtlMs }: { readonly owner: string; readonly doneTtlMs: number },
  ): Promise<readonly boolean[]> {
    const marked = keys.map((key) => {
      if (this.#heldByOther(key, owner) !== undefined) {
        return false;
      }
      this.#claims.delete(key);
      this.#doneUntilMs.delete(key);
      this.#doneUntilMs.set(key, this.#nowMs() + doneTtlMs);
      return true;
    });
    this.#sweep(keys.length * sweptPerKey);
    return Promise.resolve(marked);
  }

  release(keys: readonly string[], owner: string): Promise<void> {
    for (const key of keys) {
      const holding = this.#claims.get(key);
      if (holding?.owner === owner && holding.deaths === 0) {
        this.#claims.delete(key);
      } else {
        // Deaths are remembered until the key is done.
        this.#change(key, owner, { owner: '', handling: false });
      }
    }
    return Promise.resolve();
  }

  forget(keys: readonly string[], owner: string): Promise<void> {
    for (const key of keys.filter((each) => this.#claims.get(each)?.owner === owner)) {
      this.#claims.delete(key);
    }
    return Promise.resolve();
  }

  #claimOne(key: string, { owner, leaseMs }: Lease): Claim {
    const nowMs = this.#nowMs();
    if ((this.#doneUntilMs.get(key) ?? 0) > nowMs) {
      return { state: 'done' };
    }
    const held = this.#heldByOther(key, owner);
    if (held !== undefined) {
      return { state: 'held', expiresAtMs: held.leasedUntilMs };
    }
    const last = this.#claims.get(key);
    const ownerDied = last !== undefined && last.owner !== '' && last.owner !== owner;
    const deaths = (last?.deaths ?? 0) + (ownerDied && last.handling ? 1 : 0);
    const handling = last?.owner === owner && last.handling;
    this.#claims.delete(key);
    this.#claims.set(key, { owner, leasedUntilMs: nowMs + leaseMs, handling, deaths });
    forgetOldest(this.#claims, this.#keysMax);
    return { state: 'claimed', ownerDied, deaths };
  }

  #heldByOther(key: string, owner: string): Holding | undefined {
    const holding = this.#claims.get(key);
    const held = holding !== undefined && holding.owner !== '' && holding.leasedUntilMs > this.#nowMs();
    return held && holding.owner !== owner ? holding : undefined;
  }

  /** False where `owner` does not hold the key. */
  #change(key: string, owner: string, change: Partial<Holding>): boolean {
    const holding = this.#claims.get(key);
    if (holding?.owner !== owner) {
      return false;
    }
    this.#claims.set(key, { ...holding, ...change });
    return true;
  }

  #sweep(expiredMax: number): void {
    const nowMs = this.#nowMs();
    let left = expiredMax;
    for (const [key, doneUntilMs] of this.#doneUntilMs) {
      if (left === 0 || doneUntilMs > nowMs) {
        break;
      }
      this.#doneUntilMs.delete(key);
      left -= 1;
    }
    forgetOldest(this.#doneUntilMs, this.#keysMax);
  }
}

/** A map keeps the order in which its keys were set. */
function forgetOldest(map: Map<string, unknown>, sizeMax: number): void {
  for (const key of map.keys()) {
    if (map.size <= sizeMax) {
      return;
    }
    map.delete(key);
  }
}
