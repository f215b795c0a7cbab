import { classed, statusOf, type Connection } from './connection.ts';

/** What is read of a message as the client hands it out. */
export interface ReceivedMessage {
  readonly ackId?: string | null;
  readonly deliveryAttempt?: number | null;
  readonly message?: {
    readonly messageId?: string | null;
    readonly data?: Uint8Array | string | null;
    readonly attributes?: Readonly<Record<string, string>> | null;
    readonly publishTime?: { readonly seconds?: unknown; readonly nanos?: number | null } | null;
  } | null;
}

/** Pub/Sub's own. */
const ackIdsMax = 1_000;
const ackDeadlineSecondsMax = 600;

/** One subscription of Pub/Sub: what a source takes from, beside the one of its retry topic. */
export class Feed {
  readonly name: string;
  readonly #connection: Connection;
  readonly #path: string;

  constructor(name: string, connection: Connection) {
    this.name = name;
    this.#connection = connection;
    this.#path = connection.subscriptionPath(name);
  }

  /**
   * Waits for messages as long as Pub/Sub lets it; [] when none came or the signal aborted. Made once: who waits for it
   * decides what a failure means.
   */
  async pull(messagesMax: number, signal: AbortSignal): Promise<readonly ReceivedMessage[]> {
    const { subscriber, limits, telemetry } = this.#connection;
    const request = { subscription: this.#path, maxMessages: messagesMax };
    try {
      const [answer] = await subscriber.pull(request, { timeout: limits.pullTimeoutMs, retry: null, signal });
      const received = answer.receivedMessages ?? [];
      if (received.length > 0) {
        telemetry.count('bus_messages_received_total', received.length, { subscription: this.name });
      }
      return received;
    } catch (error) {
      if (signal.aborted) {
        return [];
      }
      if (statusOf(error) === 'deadline-exceeded') {
        // An idle subscription, or an answer that was lost: the next pull shows which.
        telemetry.count('bus_pulls_unanswered_total', 1, { subscription: this.name });
        return [];
      }
      telemetry.count('bus_call_failures_total', 1, { call: 'pull', code: statusOf(error) });
      throw classed(error, `pull from ${this.name}`);
    }
  }

  /** `stillDue` is asked before each attempt which of them are still to be settled. */
  async ack(ackIds: readonly string[], stillDue: (ackIds: string[]) => Promise<string[]>): Promise<void> {
    const { subscriber, limits } = this.#connection;
    await this.#inParts(ackIds, (part) =>
      this.#connection.call(
        `ack on ${this.name}`,
        async (options) => {
          const due = await stillDue(part);
          return due.length === 0
            ? [undefined]
            : subscriber.acknowledge({ subscription: this.#path, ackIds: due }, options);
        },
        { timeoutMs: limits.ackTimeoutMs },
      ),
    );
  }

  /** Leases end so long from now; 0 gives back at once. */
  async modifyDeadline(ackIds: readonly string[], deadlineMs: number): Promise<void> {
    const ackDeadlineSeconds = Math.min(ackDeadlineSecondsMax, Math.ceil(deadlineMs / 1_000));
    await this.#inParts(ackIds, (part) =>
      this.#connection.call(`lease on ${this.name}`, (options) =>
        this.#connection.subscriber.modifyAckDeadline(
          { subscription: this.#path, ackIds: part, ackDeadlineSeconds },
          options,
        ),
      ),
    );
  }

  async #inParts(ackIds: readonly string[], call: (part: string[]) => Promise<unknown>): Promise<void> {
    for (let from = 0; from < ackIds.length; from += ackIdsMax) {
      await call(ackIds.slice(from, from + ackIdsMax));
    }
  }
}
