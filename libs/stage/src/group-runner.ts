import { dedupeKey } from '@meterflow/dedupe';
import { BackOff, DrainingError, RefusedByPortError } from './back-off.ts';
import { FatalError } from './errors.ts';
import { Burial } from './burial.ts';
import type { GroupContext } from './group-context.ts';
import { GroupTrace } from './group-trace.ts';
import { KeyClaims } from './key-claims.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { LeasedMessage } from './message.ts';
import { Retries } from './retries.ts';
import { Settlement } from './settlement.ts';
import type { StagePorts } from './stage-ports.ts';
import type { Refused, Stage } from './stage.ts';
import { unclaimed, type Work } from './work.ts';

export type GroupOptions = Omit<GroupContext, keyof StagePorts<never> | 'stageName' | 'leases'>;

/** How often a message that another process holds is looked at again. */
const heldPollMs = 250;

/** Takes one group of messages through the delivery contract: see `#deliver`, where the order stands. */
export class GroupRunner<Input, Reads, Write> {
  readonly #stage: Stage<Input, Reads, Write>;
  readonly #ports: StagePorts<Write>;
  readonly #messages: readonly LeasedMessage[];
  readonly #context: GroupContext;
  readonly #claims: KeyClaims;
  readonly #settlement: Settlement;
  readonly #backOff: BackOff;
  readonly #burial: Burial;
  readonly #retries: Retries<Input>;

  constructor(
    group: { readonly stage: Stage<Input, Reads, Write>; readonly messages: readonly LeasedMessage[] },
    ports: StagePorts<Write>,
    options: GroupOptions,
  ) {
    this.#stage = group.stage;
    this.#ports = ports;
    this.#messages = group.messages;
    const leases = new LeaseKeeper(ports, options.owner, group.messages);
    this.#context = { ...ports, ...options, stageName: group.stage.name, leases };
    this.#claims = new KeyClaims(this.#context);
    this.#settlement = new Settlement(this.#context, this.#claims);
    this.#backOff = new BackOff(this.#context);
    this.#burial = new Burial(this.#context, this.#backOff, this.#claims);
    this.#retries = new Retries(this.#context, {
      backOff: this.#backOff,
      settlement: this.#settlement,
      bury: (work, error) => this.#burial.bury(work, this.#stage.origin(work.input), error),
    });
  }

  /** Settles every message of the group, or gives it back. Rejects with a FatalError only. */
  async run(): Promise<void> {
    try {
      await this.#deliver();
    } catch (error) {
      if (!(error instanceof DrainingError)) {
        throw error;
      }
      await this.#settlement.giveBackAll();
    } finally {
      this.#claims.leave();
      this.#context.leases.close();
    }
  }

  /**
   * The delivery contract, the only one that a stage has (DESIGN §4, docs/specs/stage.md). The order is the guarantee: a
   * process that dies between two steps repeats work, but never loses or doubles any.
   */
  async #deliver(): Promise<void> {
    // 1. Decode; what cannot be decoded is dead-lettered with the reason.
    let works = await this.#decoded();
    while (works.length > 0) {
      // 2. Claim each key. Done already: ack. Held by a live owner: hold it here too, don't nack it.
      const { claimed, done, held } = await this.#claims.claim(works);
      await this.#settlement.ack(done, 'duplicate');
      await this.#retries.settle(claimed, (attempted) =>
        new GroupTrace(this.#context, attempted).around(async (trace) => {
          const inputs = attempted.map(({ input }) => input);
          // 3. Read what the handler needs.
          const reads = await this.#stage.read(inputs);
          // 4. Handle: pure.
          const handled = await this.#claims.whileHandling(attempted, () => this.#stage.handle(inputs, reads));
          // 5a. All writes, awaited until durable …
          if (handled.writes.length > 0) {
            await this.#ports.sink.write(handled.writes);
          }
          // 5b. … then all publishes, awaited; what the stage refuses becomes dead letters.
          if (handled.messages.length > 0) {
            await this.#ports.publisher.publish(trace.carriedOn(handled));
          }
          const refused = await this.#buryRefused(attempted, handled.refused ?? []);
          const accepted = attempted.filter((work) => !refused.has(work));
          this.#context.pause.end();
          // 6. Mark the keys done.
          await this.#claims.done(accepted);
          // 7. Ack: last, always, also when marking failed.
          await this.#settlement.ack(accepted, 'handled');
          await this.#settlement.ack([...refused], 'dead');
        }),
      );
      // Nothing is kept from others while this group waits: two groups that wait for each other would wait for ever.
      this.#claims.leave();
      works = await this.#waitFor(held);
    }
  }

  async #decoded(): Promise<readonly Work<Input>[]> {
    const { source } = this.#ports;
    const epoch = await this.#backOff.until(() => source.epoch()).catch(fatalWhereRefused);
    const works = new Map<string, Work<Input>>();
    for (const message of this.#messages) {
      try {
        const input = this.#stage.decode(message);
        const key = this.#stage.key(input);
        const mark = dedupeKey(source.subscription, epoch, key);
        const same = works.get(mark);
        if (same === undefined) {
          works.set(mark, { messages: [message], input, key, mark, claim: unclaimed });
        } else {
          same.messages.push(message);
        }
      } catch (error) {
        await this.#buryUndecodable(message, error as Error);
      }
    }
    return [...works.values()];
  }

  async #buryUndecodable(message: LeasedMessage, error: Error): Promise<void> {
    const { telemetry, stageName: stage, limits } = this.#context;
    try {
      await this.#burial.buryUndecodable(message, error);
    } catch (refusal) {
      if (!(refusal instanceof RefusedByPortError)) {
        throw refusal;
      }
      telemetry.count('stage_failures_total', 1, { stage, class: 'refused' });
      const fields = { stage, message: message.id, error: refusal.message };
      telemetry.logger.error('the dead letters refuse a message for good; it is tried again later', fields);
      await this.#settlement.giveBackUndecoded(message, limits.unexpectedBackOffMsMax);
      return;
    }
    await this.#settlement.ack([{ messages: [message] }], 'dead');
  }

  /** The works that the stage refuses as a whole. */
  async #buryRefused(works: readonly Work<Input>[], refused: readonly Refused[]): Promise<ReadonlySet<Work<Input>>> {
    const whole = new Set<Work<Input>>();
    for (const { index, error, part } of refused) {
      const work = works[index] as Work<Input>;
      const origin = this.#stage.origin(work.input);
      if (part === undefined) {
        await this.#burial.bury(work, origin, error);
        whole.add(work);
      } else {
        await this.#burial.buryPart(work, origin.tenant, { part, error });
      }
    }
    return whole;
  }

  /**
   * Waits until the keys may be had, and returns them; [] when the drain began: they were given back. Waiting for
   * another process is progress of this one: if that one is stuck, it is the one to be restarted.
   */
  async #waitFor(held: readonly Work<Input>[]): Promise<readonly Work<Input>[]> {
    if (held.length === 0) {
      return [];
    }
    const { clock, signal, progress, slots } = this.#context;
    const dueAtMs = Math.min(...held.map(({ claim }) => (claim.state === 'held' ? claim.expiresAtMs : 0)));
    const waitMs = Math.max(1, Math.min(dueAtMs - clock.nowMs(), heldPollMs));
    await slots.outside(() => clock.sleep(waitMs, signal));
    progress.lastAtMs = clock.nowMs();
    if (signal.aborted) {
      await this.#settlement.giveBack(held, 0);
      return [];
    }
    return held;
  }
}

/** A bus that refuses to tell its epoch is wired wrongly. */
function fatalWhereRefused(error: unknown): never {
  throw error instanceof RefusedByPortError ? new FatalError(error.message, { cause: error }) : error;
}
