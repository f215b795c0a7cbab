import type { Claim } from '@meterflow/dedupe';
import { FatalError } from './errors.ts';
import type { GroupContext } from './group-context.ts';
import { isSuspect, unclaimed, type Work } from './work.ts';

type Keyed = Pick<Work<unknown>, 'mark' | 'claim'>;

export interface Claimed<Each> {
  readonly claimed: readonly Each[];
  readonly done: readonly Each[];
  readonly held: readonly Each[];
}

/** How long another group of this process is given with a key before it is looked at again: it is about to settle it. */
const inWorkPollMs = 20;

/**
 * The claims of one group: in the deduper, which tells owners apart, and among the groups of this process. While the
 * deduper is down the pipeline goes on with the same results: the versioned write is the guarantee.
 */
export class KeyClaims {
  readonly #context: GroupContext;
  /** Kept from the other groups of this process. */
  #taken: string[] = [];

  constructor(context: GroupContext) {
    this.#context = context;
  }

  /** Claims each key; what another group of this process is at work on is held like what another process is. */
  async claim<Each extends Keyed>(works: readonly Each[]): Promise<Claimed<Each>> {
    const { inWork, clock } = this.#context;
    const [ours, others] = [[] as Each[], [] as Each[]];
    works.forEach((work) => (inWork.take(work.mark, this) ? ours : others).push(work));
    this.#taken = marksOf(ours);
    const expiresAtMs = clock.nowMs() + inWorkPollMs;
    others.forEach((work) => {
      work.claim = { state: 'held', expiresAtMs };
    });
    if (ours.length > 0) {
      await this.#claimOurs(ours);
    }
    const inState = (state: Claim['state']): Each[] => works.filter(({ claim }) => claim.state === state);
    return { claimed: inState('claimed'), done: inState('done'), held: inState('held') };
  }

  /** Lets other groups of this process have the keys. */
  leave(): void {
    this.#context.inWork.leave(this.#taken, this);
    this.#taken = [];
  }

  /** Runs `handle`; of what may be poison, only a death in there counts. */
  async whileHandling<Result>(works: readonly Keyed[], handle: () => Promise<Result>): Promise<Result> {
    const suspects = marksOf(works.filter(isSuspect));
    await this.#markHandling(suspects, true);
    return handle().finally(() => this.#markHandling(suspects, false));
  }

  async done(works: readonly Keyed[]): Promise<void> {
    const { deduper, owner, limits } = this.#context;
    await this.#courtesy(() => deduper.done(marksOf(works), { owner, doneTtlMs: limits.doneTtlMs }));
  }

  /** Gives claims up, so that whoever gets the messages next takes nobody for dead. */
  async release(marks: readonly string[]): Promise<void> {
    const { deduper, owner } = this.#context;
    await this.#courtesy(() => deduper.release(marks, owner));
  }

  /** The same, and forgets its deaths: a dead-lettered key is never marked done, and a retry is not held against it. */
  async forget(work: Keyed): Promise<void> {
    const { deduper, owner } = this.#context;
    await this.#courtesy(() => deduper.forget([work.mark], owner));
  }

  async #claimOurs(works: readonly Keyed[]): Promise<void> {
    const { deduper, owner, source, leases } = this.#context;
    const lease = { owner, leaseMs: source.ackDeadlineMs };
    const claims = await this.#courtesy(() => deduper.claim(marksOf(works), lease));
    works.forEach((work, index) => {
      work.claim = claims?.[index] ?? unclaimed;
    });
    leases.holdKeys(marksOf(works.filter(({ claim }) => claim.state === 'claimed')));
  }

  async #markHandling(marks: readonly string[], handling: boolean): Promise<void> {
    const { deduper, owner } = this.#context;
    if (marks.length > 0) {
      await this.#courtesy(() => deduper.markHandling(marks, owner, handling));
    }
  }

  async #courtesy<Result>(call: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof FatalError) {
        throw error;
      }
      const { telemetry, stageName } = this.#context;
      telemetry.count('stage_deduper_failures_total', 1, { stage: stageName });
      return undefined;
    }
  }
}

function marksOf(works: readonly Keyed[]): string[] {
  return works.map(({ mark }) => mark);
}
