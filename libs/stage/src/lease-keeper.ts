import type { Deduper } from '@meterflow/dedupe';
import type { Clock } from './clock.ts';
import type { LeasedMessage } from './message.ts';
import type { Source } from './source.ts';
import type { Telemetry } from './telemetry.ts';

export interface LeasePorts {
  readonly source: Source;
  readonly deduper: Deduper;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Given as the reason: without one the engine makes an error, with its stack, for each group. */
const closed = 'closed';

/**
 * Renews the messages' leases and their keys' together, three times in each ack deadline, until closed. A renewal that
 * fails is counted and tried again: losing a lease only means that someone else handles the message too.
 */
export class LeaseKeeper {
  readonly #ports: LeasePorts;
  readonly #owner: string;
  readonly #messages: Set<LeasedMessage>;
  readonly #keys = new Set<string>();
  readonly #closed = new AbortController();

  constructor(ports: LeasePorts, owner: string, messages: readonly LeasedMessage[]) {
    this.#ports = ports;
    this.#owner = owner;
    this.#messages = new Set(messages);
    void this.#renew();
  }

  holdKeys(keys: readonly string[]): void {
    keys.forEach((key) => this.#keys.add(key));
  }

  /** Stops renewing what is settled. */
  settled(messages: readonly LeasedMessage[]): void {
    messages.forEach((message) => this.#messages.delete(message));
  }

  /** Every key that was ever held here, also those done or given up since. */
  get heldKeys(): readonly string[] {
    return [...this.#keys];
  }

  get unsettled(): readonly LeasedMessage[] {
    return [...this.#messages];
  }

  close(): void {
    this.#closed.abort(closed);
  }

  async #renew(): Promise<void> {
    const { source, deduper, clock } = this.#ports;
    const lease = { owner: this.#owner, leaseMs: source.ackDeadlineMs };
    for (;;) {
      await clock.sleep(source.ackDeadlineMs / 3, this.#closed.signal);
      if (this.#closed.signal.aborted || this.#messages.size === 0) {
        return;
      }
      await this.#attempt(() => source.extend([...this.#messages]));
      await this.#attempt(() => deduper.renew([...this.#keys], lease));
    }
  }

  async #attempt(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch {
      this.#ports.telemetry.count('stage_lease_renewals_failed_total');
    }
  }
}
