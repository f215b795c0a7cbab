import type { OutgoingMessage } from './message.ts';

/** Publishes messages. Called from several groups at once. */
export interface Publisher {
  /**
   * Resolves only when every message is durable on the bus. On a rejection any of them may have been published: the
   * caller publishes all of them again, and whoever receives one twice absorbs it by its key.
   */
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
}
