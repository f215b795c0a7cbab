import { hash } from 'node:crypto';
import { dedupeKey, type Claim } from '@meterflow/dedupe';
import type { DeadLetter } from './dead-letters.ts';
import { FatalError, HaltedError, IntegrityError, PermanentError, TransientError } from './errors.ts';
import type { KeysInWork } from './keys-in-work.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { LeasedMessage } from './message.ts';
import type { Pause } from './pause.ts';
import type { GroupProgress, StageOptions, StagePorts } from './run-stage.ts';
import type { RefusedPart, Stage } from './stage.ts';

/** One message of a group, from decoding to its ack. */
interface Work<Input> {
  readonly message: LeasedMessage;
  readonly input: Input;
  /** Names the fact; the done mark is `dedupeKey(subscription, epoch, key)`. */
  readonly key: string;
  readonly mark: string;
  claim: Claim;
}

interface RunnerOptions extends Omit<StageOptions, 'progress'> {
  readonly progress: GroupProgress;
  readonly pause: Pause;
  /** Shared by all groups of the stage. */
  readonly inWork: KeysInWork;
}

const unclaimed: Claim = { state: 'claimed', ownerDied: false, deaths: 0 };
/** How often a message that another process holds is looked at again. */
const heldPollMs = 250;
/** The same for a message that another group of this process holds: that one is about to settle it. */
const inWorkPollMs = 20;

/**
 * The delivery contract for one group of messages, the only one that a runner has (DESIGN §4, docs/specs/stage.md). The order is the guarantee: a
 * process that dies between two steps repeats work, but never loses or doubles any.
 */
export class GroupRunner<Input, Reads, Write> {
  readonly #stage: Stage<Input, Reads, Write>;
  readonly #ports: StagePorts<Write>;
  readonly #options: RunnerOptions;

  constructor(stage: Stage<Input, Reads, Write>, ports: StagePorts<Write>, options: RunnerOptions) {
    this.#stage = stage;
    this.#ports = ports;
    this.#options = options;
  }

  /** Settles every message of the group, or gives it back. Rejects with a FatalError only. */
  async run(messages: readonly LeasedMessage[]): Promise<void> {
    const keeper = new LeaseKeeper(this.#ports, this.#options.owner, messages);
    try {
      const works = await this.#decoded(messages, keeper);
      await this.#settleAll(works, keeper);
    } catch (error) {
      if (!(error instanceof DrainingError)) {
        throw error;
      }
      await this.#courtesy(() => this.#ports.deduper.release(keeper.heldKeys, this.#options.owner));
      await this.#ports.source.nack(keeper.unsettled, 0).catch(() => undefined);
    } finally {
      keeper.close();
    }
  }

  /** 1. Decode; what cannot be decoded is dead-lettered with the reason. */
  async #decoded(messages: readonly LeasedMessage[], keeper: LeaseKeeper): Promise<Work<Input>[]> {
    const epoch = await this.#retried(() => this.#ports.source.epoch());
    const works: Work<Input>[] = [];
    for (const message of messages) {
      try {
        const input = this.#stage.decode(message);
        const key = this.#stage.key(input);
        works.push({
          message,
          input,
          key,
          mark: dedupeKey(this.#ports.source.subscription, epoch, key),
          claim: unclaimed,
        });
      } catch (error) {
        await this.#buryUndecodable(message, error as Error, keeper);
      }
    }
    return works;
  }

  async #settleAll(works: readonly Work<Input>[], keeper: LeaseKeeper): Promise<void> {
    try {
      await this.#settleWaiting(works, keeper);
    } finally {
      this.#leave(works);
    }
  }

  async #settleWaiting(works: readonly Work<Input>[], keeper: LeaseKeeper): Promise<void> {
    let waiting = works;
    while (waiting.length > 0) {
      await this.#claim(waiting, keeper);
      const claimed = waiting.filter(({ claim }) => claim.state === 'claimed');
      await this.#ack(
        waiting.filter(({ claim }) => claim.state === 'done'),
        keeper,
        'duplicate',
      );
      await this.#settleClaimed(claimed, keeper);
      // Nothing is kept from others while this group waits: two groups that wait for each other would wait for ever.
      this.#leave(waiting);
      waiting = waiting.filter(({ claim }) => claim.state === 'held');
      if (waiting.length > 0 && !(await this.#held(waiting, keeper))) {
        return;
      }
    }
  }

  /** 2. Claim each key. Without a deduper the work is done all the same: the versioned write is the guarantee. */
  async #claim(works: readonly Work<Input>[], keeper: LeaseKeeper): Promise<void> {
    const { inWork } = this.#options;
    const [ours, others] = [[] as Work<Input>[], [] as Work<Input>[]];
    works.forEach((work) => (inWork.take(work.mark, this) ? ours : others).push(work));
    const expiresAtMs = this.#ports.clock.nowMs() + inWorkPollMs;
    others.forEach((work) => {
      work.claim = { state: 'held', expiresAtMs };
    });
    if (ours.length > 0) {
      await this.#claimOurs(ours, keeper);
    }
  }

  #leave(works: readonly Work<Input>[]): void {
    this.#options.inWork.leave(
      works.map(({ mark }) => mark),
      this,
    );
  }

  async #claimOurs(works: readonly Work<Input>[], keeper: LeaseKeeper): Promise<void> {
    const marks = works.map(({ mark }) => mark);
    const lease = { owner: this.#options.owner, leaseMs: this.#ports.source.ackDeadlineMs };
    const claims = await this.#courtesy(() => this.#ports.deduper.claim(marks, lease));
    works.forEach((work, index) => {
      work.claim = claims?.[index] ?? unclaimed;
    });
    keeper.holdKeys(works.filter(({ claim }) => claim.state === 'claimed').map(({ mark }) => mark));
  }

  /**
   * What a live owner holds is held here too, not nacked. False when the drain began: it was given back. Waiting for
   * another process is progress of this one: if that one is stuck, it is the one to be restarted.
   */
  async #held(works: readonly Work<Input>[], keeper: LeaseKeeper): Promise<boolean> {
    const { clock } = this.#ports;
    const nextMs =
      Math.min(...works.map(({ claim }) => (claim.state === 'held' ? claim.expiresAtMs : 0))) - clock.nowMs();
    await clock.sleep(Math.max(1, Math.min(nextMs, heldPollMs)), this.#options.signal);
    this.#options.progress.lastAtMs = clock.nowMs();
    if (this.#options.signal.aborted) {
      await this.#giveBack(works, keeper);
      return false;
    }
    return true;
  }

  /** Keys whose last owner died go one by one; the others together, and where that fails one by one too. */
  async #settleClaimed(works: readonly Work<Input>[], keeper: LeaseKeeper): Promise<void> {
    const [suspects, others] = [works.filter(isSuspect), works.filter((work) => !isSuspect(work))];
    if (others.length > 0) {
      await this.#settleGroup(firstOfEachKey(others), others, keeper);
    }
    for (const work of suspects) {
      await this.#settleOne(work, [work], keeper);
    }
  }

  async #settleGroup(works: readonly Work<Input>[], all: readonly Work<Input>[], keeper: LeaseKeeper): Promise<void> {
    const sharing = (work: Work<Input>): Work<Input>[] => all.filter(({ mark }) => mark === work.mark);
    try {
      const refused = await this.#commit(works);
      await this.#markAndAck(all, refused, keeper);
    } catch (error) {
      if (error instanceof FatalError || error instanceof DrainingError) {
        throw error;
      }
      for (const work of works) {
        await this.#settleOne(work, sharing(work), keeper);
      }
    }
  }

  /** Settles one message, however long what it needs stays down; `sharing` are the messages with its key. */
  async #settleOne(work: Work<Input>, sharing: readonly Work<Input>[], keeper: LeaseKeeper): Promise<void> {
    if (work.claim.state === 'claimed' && work.claim.deaths >= this.#options.limits.poisonAttemptsMax) {
      await this.#bury(work, new PermanentError('poison', `${work.claim.deaths} processes died while they handled it`));
      await this.#ack(sharing, keeper, 'dead');
      return;
    }
    for (;;) {
      try {
        const refused = await this.#commit([work]);
        await this.#markAndAck(sharing, refused, keeper);
        return;
      } catch (error) {
        if (error instanceof PermanentError) {
          await this.#bury(work, error);
          await this.#ack(sharing, keeper, 'dead');
          return;
        }
        if (!(await this.#mayRetry(error as Error))) {
          await this.#giveBack(sharing, keeper);
          return;
        }
      }
    }
  }

  /** Steps 3 to 5; returns the works that the stage refused. Throws what the stage, the sink or the bus throws. */
  async #commit(works: readonly Work<Input>[]): Promise<ReadonlySet<string>> {
    const inputs = works.map(({ input }) => input);
    const marks = works.filter(isSuspect).map(({ mark }) => mark);
    // 3. Read what the handler needs.
    const reads = await this.#stage.read(inputs);
    // 4. Handle: pure. Only a death between these two marks counts towards poison.
    await this.#markHandling(marks, true);
    const handled = await this.#stage.handle(inputs, reads).finally(() => this.#markHandling(marks, false));
    // 5a. All writes, awaited until durable …
    if (handled.writes.length > 0) {
      await this.#ports.sink.write(handled.writes);
    }
    // 5b. … then all publishes, awaited.
    if (handled.messages.length > 0) {
      await this.#ports.publisher.publish(handled.messages);
    }
    const refused = new Set<string>();
    for (const { index, error, part } of handled.refused ?? []) {
      const work = works[index] as Work<Input>;
      await this.#bury(work, error, part);
      if (part === undefined) {
        refused.add(work.mark);
      }
    }
    this.#options.pause.end();
    return refused;
  }

  /** 6. Mark the keys done, then 7. ack: last, always, also when marking failed. */
  async #markAndAck(works: readonly Work<Input>[], refused: ReadonlySet<string>, keeper: LeaseKeeper): Promise<void> {
    const mark = { owner: this.#options.owner, doneTtlMs: this.#options.limits.doneTtlMs };
    const handled = works.filter((work) => !refused.has(work.mark));
    await this.#courtesy(() => this.#ports.deduper.done([...new Set(handled.map((work) => work.mark))], mark));
    await this.#ack(handled, keeper, 'handled');
    await this.#ack(
      works.filter((work) => refused.has(work.mark)),
      keeper,
      'dead',
    );
  }

  async #ack(
    works: readonly Work<Input>[],
    keeper: LeaseKeeper,
    outcome: 'handled' | 'duplicate' | 'dead',
  ): Promise<void> {
    if (works.length > 0) {
      await this.#ackMessages(
        works.map(({ message }) => message),
        keeper,
        outcome,
      );
    }
  }

  async #ackMessages(messages: readonly LeasedMessage[], keeper: LeaseKeeper, outcome: string): Promise<void> {
    const { source, clock, telemetry } = this.#ports;
    const { progress } = this.#options;
    // An ack that is lost costs a redelivery, which the done mark absorbs.
    await source.ack(messages).catch((error: unknown) => {
      if (error instanceof FatalError) {
        throw error;
      }
      telemetry.count('stage_acks_failed_total', messages.length, { stage: this.#stage.name });
    });
    keeper.settled(messages);
    progress.unsettled -= messages.length;
    progress.lastAtMs = clock.nowMs();
    telemetry.count('stage_messages_settled_total', messages.length, { stage: this.#stage.name, outcome });
    const redeliveries = messages.filter(({ deliveryAttempt }) => deliveryAttempt > 1).length;
    if (redeliveries > 0) {
      telemetry.count('stage_redeliveries_total', redeliveries, { stage: this.#stage.name });
    }
    telemetry.observe('stage_event_age_ms', clock.nowMs() - (messages[0]?.publishedAtMs ?? 0), {
      stage: this.#stage.name,
    });
  }

  async #buryUndecodable(message: LeasedMessage, error: Error, keeper: LeaseKeeper): Promise<void> {
    const permanent =
      error instanceof PermanentError
        ? error
        : new IntegrityError('decoder-broke', `decoding failed: ${error.message}`, { cause: error });
    const key = hash('sha256', message.payload, 'hex').slice(0, 32);
    const origin = { tenant: message.attributes['tenant'] ?? '', causes: [], layers: [] };
    await this.#retried(() =>
      this.#ports.deadLetters.put([this.#deadLetter({ message, key, origin, error: permanent })]),
    );
    await this.#ackMessages([message], keeper, 'dead');
  }

  /**
   * Dead-letters, or parks, the message and forgets its claim: a dead-lettered key is never marked done, and a retry of
   * it is not held against its deaths. With `part` only that part of it, under a key of its own; the rest has gone on.
   */
  async #bury(work: Work<Input>, error: Error, part?: RefusedPart): Promise<void> {
    const origin = this.#stage.origin(work.input);
    const letter =
      part === undefined
        ? this.#deadLetter({ message: work.message, key: work.key, origin, error })
        : this.#deadLetter({
            message: { ...work.message, payload: part.payload },
            key: part.key,
            origin: { tenant: origin.tenant, causes: [], layers: [] },
            error,
          });
    await this.#retried(() => this.#ports.deadLetters.put([letter]));
    if (part === undefined) {
      await this.#courtesy(() => this.#ports.deduper.forget([work.mark], this.#options.owner));
    }
    const fields = { stage: this.#stage.name, key: work.key, code: letter.reasonCode, reason: letter.reason };
    if (error instanceof IntegrityError) {
      this.#ports.telemetry.logger.error('a rule of our own is broken; the message is a dead letter', fields);
    } else {
      this.#ports.telemetry.logger.warn(`message ${letter.state === 'parked' ? 'parked' : 'dead-lettered'}`, fields);
    }
    this.#ports.telemetry.count('stage_dead_letters_total', 1, { stage: this.#stage.name, code: letter.reasonCode });
  }

  #deadLetter(of: {
    message: LeasedMessage;
    key: string;
    origin: { tenant: string; causes: DeadLetter['causes']; layers: readonly string[] };
    error: Error;
  }): DeadLetter {
    return {
      id: `${this.#stage.name}/${of.key}`,
      state: of.error instanceof HaltedError ? 'parked' : 'dead',
      stage: this.#stage.name,
      subscription: this.#ports.source.subscription,
      key: of.key,
      ...of.origin,
      reasonCode: of.error instanceof PermanentError ? of.error.code : 'refused',
      reason: of.error.message,
      payload: of.message.payload,
      attributes: of.message.attributes,
      atMs: this.#ports.clock.nowMs(),
    };
  }

  /** The messages come again, to whoever is there, after a while (at once when this process drains). */
  async #giveBack(works: readonly Work<Input>[], keeper: LeaseKeeper): Promise<void> {
    const claimed = works.filter(({ claim }) => claim.state === 'claimed').map(({ mark }) => mark);
    const messages = works.map(({ message }) => message);
    const delayMs = this.#options.signal.aborted ? 0 : this.#options.limits.backOffMsMax;
    await this.#courtesy(() => this.#ports.deduper.release(claimed, this.#options.owner));
    await this.#ports.source.nack(messages, delayMs).catch(() => undefined);
    keeper.settled(messages);
  }

  async #markHandling(marks: readonly string[], handling: boolean): Promise<void> {
    if (marks.length > 0) {
      await this.#courtesy(() => this.#ports.deduper.markHandling(marks, this.#options.owner, handling));
    }
  }

  /** Calls the deduper; while it is down the pipeline goes on, with the same results. */
  async #courtesy<Result>(call: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof FatalError) {
        throw error;
      }
      this.#ports.telemetry.count('stage_deduper_failures_total', 1, { stage: this.#stage.name });
      return undefined;
    }
  }

  /** Repeats what must not fail (a dead letter) until it goes through; throws DrainingError when the drain begins first. */
  async #retried<Result>(call: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        await this.#backOff(error as Error);
        if (this.#options.signal.aborted) {
          throw new DrainingError('draining', { cause: error });
        }
      }
    }
  }

  /**
   * After a transient failure: true once the back-off is over, false when the drain began. A failure of no known class
   * is not waited for here, so that it stands before nobody else: its message is given back with a delay.
   */
  async #mayRetry(error: Error): Promise<boolean> {
    if (error instanceof TransientError) {
      await this.#backOff(error);
      return !this.#options.signal.aborted;
    }
    if (error instanceof FatalError || error instanceof DrainingError) {
      throw error;
    }
    const fields = { stage: this.#stage.name, error: error.message, stack: error.stack };
    this.#ports.telemetry.logger.error(
      'failed for a reason of no known class; the message is tried again later',
      fields,
    );
    this.#ports.telemetry.count('stage_failures_total', 1, { stage: this.#stage.name, class: 'unknown' });
    return false;
  }

  /** Pauses receiving and waits. Waiting on purpose is progress: liveness must not restart what a sink holds up. */
  async #backOff(error: Error): Promise<void> {
    const { clock, telemetry } = this.#ports;
    const { signal, limits, pause, progress } = this.#options;
    telemetry.logger.warn('paused: what this stage needs is down', { stage: this.#stage.name, error: error.message });
    telemetry.count('stage_failures_total', 1, { stage: this.#stage.name, class: 'transient' });
    await clock.sleep(pause.begin(error, limits), signal);
    progress.lastAtMs = clock.nowMs();
  }
}

/** The drain began while something was waited for: what is not settled is given back. */
class DrainingError extends Error {
  override readonly name = 'DrainingError';
}

function isSuspect<Input>(work: Work<Input>): boolean {
  return work.claim.state === 'claimed' && work.claim.ownerDied;
}

/** A fact that came twice in one group is handled once. */
function firstOfEachKey<Input>(works: readonly Work<Input>[]): Work<Input>[] {
  return [...new Map(works.toReversed().map((work) => [work.mark, work])).values()].toReversed();
}
