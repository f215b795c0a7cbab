import { retryTopicOf, type LeasedMessage, type OutgoingMessage } from '@meterflow/stage';
import { proofTopology } from '../lane.ts';

/**
 * What every subscription still has to settle, counted beside the bus: Pub/Sub's emulator tells nobody. Messages that are
 * being published count as published.
 */
export class Unsettled {
  readonly #published = new Map<string, number>();
  readonly #settled = new Map<string, Set<string>>();
  readonly #topics: ReadonlyMap<string, readonly string[]>;

  constructor(lanes: readonly string[]) {
    const declared = proofTopology(lanes);
    this.#topics = new Map(
      declared.flatMap(({ topic, subscriptions }) => [
        [topic, subscriptions] as const,
        ...subscriptions.map((name) => [retryTopicOf(name), [name]] as const),
      ]),
    );
    declared
      .flatMap(({ subscriptions }) => subscriptions)
      .forEach((name) => {
        this.#settled.set(name, new Set());
      });
  }

  published(messages: readonly OutgoingMessage[]): void {
    for (const name of messages.flatMap(({ topic }) => this.#topics.get(topic) ?? [])) {
      this.#published.set(name, (this.#published.get(name) ?? 0) + 1);
    }
  }

  /** A message may be settled twice: its id counts once. */
  settled(subscription: string, messages: readonly LeasedMessage[]): void {
    messages.forEach(({ id }) => this.#settled.get(subscription)?.add(id));
  }

  /** All that the subscription ever had is to be settled again. */
  replayed(subscription: string): void {
    this.#settled.set(subscription, new Set());
  }

  lines(): readonly string[] {
    return [...this.#settled].flatMap(([name, settled]) => {
      const left = (this.#published.get(name) ?? 0) - settled.size;
      return left === 0 ? [] : [`${name}: ${left}`];
    });
  }
}
