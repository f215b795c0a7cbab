import type { Clock, LeasedMessage, ReceiveRequest, Source, Telemetry } from '@meterflow/stage';
import { storeError } from '../database.ts';
import { Leases } from './leases.ts';
import { TopicReader } from './topic-reader.ts';

export interface SourceOptions {
  readonly subscription: string;
  readonly ackDeadlineMs: number;
  readonly owner: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly files: { readonly topic: string; readonly retryTopic: string; readonly subscription: string };
}

/** How often a waiting receiver looks for new messages: soon after the last one, and when nothing came for a while. */
const busyPollMs = 4;
const idlePollMs = 20;
const busyForMs = 1_000;
/** How often it looks for what seldom comes: retried messages, and leases that others gave back. */
const rarePollMs = 100;

interface Versions {
  topic: number;
  rare: number;
}

/** A subscription on one machine. Waiting costs one look at the topic's shared memory per poll; no file is read. */
export class EmbeddedSource implements Source {
  readonly subscription: string;
  readonly ackDeadlineMs: number;
  readonly #options: SourceOptions;
  readonly #topic: TopicReader;
  readonly #retryTopic: TopicReader;
  readonly #leases: Leases;
  #lastArrivalMs = 0;
  #ownDueAtMs = Number.POSITIVE_INFINITY;

  constructor(options: SourceOptions) {
    const { files } = options;
    this.subscription = options.subscription;
    this.ackDeadlineMs = options.ackDeadlineMs;
    this.#options = options;
    this.#topic = new TopicReader(files.topic);
    this.#retryTopic = new TopicReader(files.retryTopic);
    this.#leases = new Leases(files.subscription, options.owner, [this.#topic, this.#retryTopic]);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the file is read at once; errors reject
  async epoch(): Promise<number> {
    return this.#named(() => this.#leases.epoch());
  }

  async receive(request: ReceiveRequest): Promise<readonly LeasedMessage[]> {
    const { clock } = this.#options;
    const untilMs = clock.nowMs() + request.waitMs;
    while (!request.signal.aborted) {
      // Looked at before the attempt: a commit between the two then shows as a change.
      const seen = this.#named(() => this.#versions());
      const messages = this.#named(() => this.#take(request));
      if (messages.length > 0) {
        this.#lastArrivalMs = clock.nowMs();
        return messages;
      }
      if (!(await this.#change(seen, untilMs, request.signal))) {
        break;
      }
    }
    return [];
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async ack(messages: readonly LeasedMessage[]): Promise<void> {
    const late = this.#named(() => this.#leases.ack(messages));
    this.#countLate('bus_acks_late_total', late);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async nack(messages: readonly LeasedMessage[], delayMs: number): Promise<void> {
    const dueAtMs = Math.trunc(this.#options.clock.nowMs() + delayMs);
    this.#ownDueAtMs = Math.min(this.#ownDueAtMs, dueAtMs);
    const late = this.#named(() => this.#leases.nack(messages, dueAtMs));
    this.#countLate('bus_nacks_late_total', late);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async extend(messages: readonly LeasedMessage[]): Promise<void> {
    const leasedUntilMs = Math.trunc(this.#options.clock.nowMs() + this.ackDeadlineMs);
    const late = this.#named(() => this.#leases.extend(messages, leasedUntilMs));
    this.#countLate('bus_extensions_late_total', late);
  }

  close(): void {
    this.#leases.close();
    this.#topic.close();
    this.#retryTopic.close();
  }

  #take({ messagesMax, bytesMax }: ReceiveRequest): readonly LeasedMessage[] {
    const nowMs = Math.trunc(this.#options.clock.nowMs());
    this.#ownDueAtMs = Number.POSITIVE_INFINITY;
    return this.#leases.take({ messagesMax, bytesMax, nowMs, leasedUntilMs: nowMs + this.ackDeadlineMs });
  }

  /** Resolves true when something may be there, false when the time is over or the signal aborted. */
  async #change(seen: Versions, untilMs: number, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    const dueAtMs = this.#named(() => this.#leases.nextDueAtMs());
    let rareAtMs = clock.nowMs() + rarePollMs;
    for (;;) {
      const nowMs = clock.nowMs();
      if (nowMs >= untilMs) {
        return false;
      }
      const pollMs = nowMs - this.#lastArrivalMs < busyForMs ? busyPollMs : idlePollMs;
      const wakeAtMs = Math.min(nowMs + pollMs, untilMs, Math.max(nowMs + 1, Math.min(dueAtMs, this.#ownDueAtMs)));
      await clock.sleep(wakeAtMs - nowMs, signal);
      if (signal.aborted) {
        return false;
      }
      const wokeAtMs = clock.nowMs();
      if (wokeAtMs >= Math.min(dueAtMs, this.#ownDueAtMs) || this.#topicChanged(seen)) {
        return true;
      }
      if (wokeAtMs >= rareAtMs) {
        if (this.#named(() => this.#rareVersion()) !== seen.rare) {
          return true;
        }
        rareAtMs = wokeAtMs + rarePollMs;
      }
    }
  }

  #topicChanged(seen: Versions): boolean {
    return this.#named(() => this.#topic.version()) !== seen.topic;
  }

  #versions(): Versions {
    return { topic: this.#topic.version(), rare: this.#rareVersion() };
  }

  /** Both numbers only grow, and so does their sum. */
  #rareVersion(): number {
    return this.#retryTopic.version() + this.#leases.version();
  }

  #countLate(name: string, late: number): void {
    if (late > 0) {
      this.#options.telemetry.count(name, late, { subscription: this.subscription });
    }
  }

  #named<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw storeError(error, this.#options.files.subscription);
    }
  }
}
