import type { Claim, Deduper } from '@meterflow/dedupe';
import {
  claimAnswers,
  claimScript,
  doneScript,
  markHandlingScript,
  releaseScript,
  renewScript,
} from './dedupe-scripts.ts';
import { placedKeys } from './placed-keys.ts';
import type { RedisLink } from './redis-link.ts';
import type { Script } from './script.ts';

/** A claim that nobody took up again is forgotten, its deaths with it. The same in every build: leases are told by it. */
const claimKeptMs = 24 * 60 * 60 * 1000;

interface Lease {
  readonly owner: string;
  readonly leaseMs: number;
}

/** A call for a group of keys: what it runs, and what a key counts as whose part of the cluster does not answer. */
interface GroupCall<Answer> {
  readonly script: Script;
  readonly args: (steadyMs: number) => readonly (string | number)[];
  /** How many numbers the script answers for each key, and what they mean. */
  readonly width: number;
  readonly read: (answer: readonly number[]) => Answer;
  readonly absent: Answer;
}

const unclaimed: Claim = { state: 'claimed', ownerDied: false, deaths: 0 };
const nothing = { width: 0, read: () => undefined, absent: undefined };
const yesOrNo = { width: 1, read: ([yes]: readonly number[]) => yes === 1 };

/**
 * Marks done and claims in Redis, shared by all processes. A group is one call; in a cluster one for each slot, at the
 * same time. Where some slots do not answer, their keys are claimed without being remembered and the others are not
 * touched by it; where none does, the call rejects. Everything expires, so what is kept is bounded by what comes in.
 */
export class RedisDeduper implements Deduper {
  readonly #link: RedisLink;
  readonly #nowMs: () => number;

  constructor(link: RedisLink, nowMs: () => number) {
    this.#link = link;
    this.#nowMs = nowMs;
  }

  claim(keys: readonly string[], { owner, leaseMs }: Lease): Promise<readonly Claim[]> {
    return this.#together(keys, {
      script: claimScript,
      // An owner that could not renew during an outage is not dead: deaths count again when all could have.
      args: (steadyMs) => [owner, leaseMs, claimKeptMs, steadyMs > leaseMs + this.#link.retryMsMax ? '1' : '0'],
      width: 2,
      read: ([answer, number = 0]) => this.#claimOf(answer, number),
      absent: unclaimed,
    });
  }

  renew(keys: readonly string[], { owner, leaseMs }: Lease): Promise<readonly boolean[]> {
    return this.#together(keys, {
      ...yesOrNo,
      script: renewScript,
      args: () => [owner, leaseMs, claimKeptMs],
      absent: false,
    });
  }

  async markHandling(keys: readonly string[], owner: string, handling: boolean): Promise<void> {
    await this.#together(keys, {
      ...nothing,
      script: markHandlingScript,
      args: () => [owner, handling ? '1' : '0'],
    });
  }

  done(
    keys: readonly string[],
    { owner, doneTtlMs }: { readonly owner: string; readonly doneTtlMs: number },
  ): Promise<readonly boolean[]> {
    return this.#together(keys, {
      ...yesOrNo,
      script: doneScript,
      args: () => [owner, doneTtlMs, claimKeptMs],
      absent: false,
    });
  }

  async release(keys: readonly string[], owner: string): Promise<void> {
    await this.#together(keys, { ...nothing, script: releaseScript, args: () => [owner, claimKeptMs] });
  }

  async forget(keys: readonly string[], owner: string): Promise<void> {
    await this.#together(keys, { ...nothing, script: releaseScript, args: () => [owner, '0'] });
  }

  async #together<Answer>(keys: readonly string[], call: GroupCall<Answer>): Promise<readonly Answer[]> {
    const answers = keys.map(() => call.absent);
    const groups = placedKeys(keys, this.#link.isCluster);
    const runs = await Promise.allSettled(
      groups.map(async ({ tag, names, indexes }) => {
        const args = call.args(this.#link.steadyMs(tag));
        const numbers = await this.#link.run(tag, call.script, { keys: names, args });
        indexes.forEach((index, place) => {
          answers[index] = call.read(numbers.slice(place * call.width, (place + 1) * call.width));
        });
      }),
    );
    const failed = runs.filter((run) => run.status === 'rejected');
    if (failed.length > 0 && failed.length === groups.length) {
      throw failed[0]?.reason;
    }
    return answers;
  }

  #claimOf(answer: number | undefined, number: number): Claim {
    if (answer === claimAnswers.done) {
      return { state: 'done' };
    }
    if (answer === claimAnswers.held) {
      return { state: 'held', expiresAtMs: this.#nowMs() + number };
    }
    return { state: 'claimed', ownerDied: answer === claimAnswers.ownerDied, deaths: number };
  }
}
