import type { Clock, LeasedMessage, ReceiveRequest, Source, Telemetry } from '@meterflow/stage';
import { storeError } from '../database.ts';
import { CommitWait } from './commit-wait.ts';
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

/** A subscription on one machine. Who waits is told of writes by the system and costs next to nothing meanwhile. */
export class EmbeddedSource implements Source {
  readonly subscription: string;
  readonly ackDeadlineMs: number;
  readonly #options: SourceOptions;
  readonly #topic: TopicReader;
  readonly #retryTopic: TopicReader;
  readonly #leases: Leases;
  readonly #wait: CommitWait;
  #emptyAt: number | undefined;

  constructor(options: SourceOptions) {
    const { files } = options;
    this.subscription = options.subscription;
    this.ackDeadlineMs = options.ackDeadlineMs;
    this.#options = options;
    this.#wait = new CommitWait(files.topic, options.clock);
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
    const { waitMs, signal } = request;
    const untilMs = clock.nowMs() + waitMs;
    while (!signal.aborted) {
      const messages = this.#named(() => this.#takeIfChanged(request));
      if (messages.length > 0) {
        this.#wait.close();
        return messages;
      }
      if (clock.nowMs() >= untilMs) {
        break;
      }
      await this.#wait.pause({ untilMs, dueAtMs: this.#named(() => this.#leases.nextDueAtMs()), signal });
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
    const late = this.#named(() => this.#leases.nack(messages, dueAtMs));
    this.#countLate('bus_nacks_late_total', late);
    this.#wait.wake();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async extend(messages: readonly LeasedMessage[]): Promise<void> {
    const leasedUntilMs = Math.trunc(this.#options.clock.nowMs() + this.ackDeadlineMs);
    const late = this.#named(() => this.#leases.extend(messages, leasedUntilMs));
    this.#countLate('bus_extensions_late_total', late);
  }

  close(): void {
    this.#wait.close();
    this.#leases.close();
    this.#topic.close();
    this.#retryTopic.close();
  }

  /** Takes nothing, at the cost of a look, when nothing was there the last time and nobody committed anything since. */
  #takeIfChanged({ messagesMax, bytesMax }: ReceiveRequest): readonly LeasedMessage[] {
    const nowMs = Math.trunc(this.#options.clock.nowMs());
    // Looked at before the attempt: a commit between the two then shows as a change the next time.
    const versions = this.#versions();
    if (this.#emptyAt === versions && nowMs < this.#leases.nextDueAtMs()) {
      return [];
    }
    const leasedUntilMs = nowMs + this.ackDeadlineMs;
    const messages = this.#leases.take({ messagesMax, bytesMax, nowMs, leasedUntilMs });
    this.#emptyAt = messages.length === 0 ? versions : undefined;
    return messages;
  }

  /** Each of them only grows, and so does their sum. */
  #versions(): number {
    return this.#topic.version() + this.#retryTopic.version() + this.#leases.version();
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
