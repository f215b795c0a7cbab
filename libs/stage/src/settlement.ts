import { FatalError } from './errors.ts';
import type { GroupContext } from './group-context.ts';
import type { KeyClaims } from './key-claims.ts';
import type { LeasedMessage } from './message.ts';
import type { Work } from './work.ts';

type Settled = Pick<Work<unknown>, 'messages'>;

/** Settles messages: acks them for good, or gives them back. */
export class Settlement {
  readonly #context: GroupContext;
  readonly #claims: KeyClaims;

  constructor(context: GroupContext, claims: KeyClaims) {
    this.#context = context;
    this.#claims = claims;
  }

  async ack(works: readonly Settled[], outcome: 'handled' | 'duplicate' | 'dead'): Promise<void> {
    const messages = messagesOf(works);
    if (messages.length === 0) {
      return;
    }
    const { source, telemetry, stageName: stage } = this.#context;
    // An ack that is lost costs a redelivery, which the done mark absorbs.
    await source.ack(messages).catch((error: unknown) => {
      if (error instanceof FatalError) {
        throw error;
      }
      telemetry.count('stage_acks_failed_total', messages.length, { stage });
    });
    this.#leave(messages);
    this.#count(messages, outcome);
  }

  /** The messages come again, to whoever is there, after a while. */
  async giveBack(works: readonly (Settled & Pick<Work<unknown>, 'mark' | 'claim'>)[], delayMs: number): Promise<void> {
    const claimed = works.filter(({ claim }) => claim.state === 'claimed');
    await this.#claims.release(claimed.map(({ mark }) => mark));
    await this.#nack(messagesOf(works), delayMs);
  }

  /** The same of one that could not even be decoded. */
  async giveBackUndecoded(message: LeasedMessage, delayMs: number): Promise<void> {
    await this.#nack([message], delayMs);
  }

  /** All that the group has not settled comes again at once. */
  async giveBackAll(): Promise<void> {
    const { leases } = this.#context;
    await this.#claims.release(leases.heldKeys);
    await this.#nack(leases.unsettled, 0);
  }

  async #nack(messages: readonly LeasedMessage[], delayMs: number): Promise<void> {
    // When this fails the leases run out, and the messages come again all the same.
    await this.#context.source.nack(messages, delayMs).catch(() => undefined);
    this.#leave(messages);
  }

  #leave(messages: readonly LeasedMessage[]): void {
    const { leases, progress, clock } = this.#context;
    leases.settled(messages);
    progress.unsettled -= messages.length;
    progress.lastAtMs = clock.nowMs();
  }

  #count(messages: readonly LeasedMessage[], outcome: string): void {
    const { telemetry, clock, stageName: stage } = this.#context;
    telemetry.count('stage_messages_settled_total', messages.length, { stage, outcome });
    const redeliveries = messages.filter(({ deliveryAttempt }) => deliveryAttempt > 1).length;
    if (redeliveries > 0) {
      telemetry.count('stage_redeliveries_total', redeliveries, { stage });
    }
    telemetry.observe('stage_event_age_ms', clock.nowMs() - (messages[0]?.publishedAtMs ?? 0), { stage });
  }
}

function messagesOf(works: readonly Settled[]): readonly LeasedMessage[] {
  return works.flatMap(({ messages }) => messages);
}
