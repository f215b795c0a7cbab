import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  dataDirectory,
  EmbeddedSources,
  openBus,
  openDeduper,
  openEmbeddedPlatform,
  type EmbeddedBus,
  type EmbeddedDeduper,
  type EmbeddedPlatform,
} from '@meterflow/embedded';
import { silentTelemetry, type Source } from '@meterflow/stage';
import { SimulatedTime } from '@meterflow/stage/simulation';
import { lane, proofTopology } from './lane.ts';
import type { CrashPorts, CrashWorld, CrashWorlds, DeadLetterFacts } from './world.ts';

const ackDeadlineMs = 1_500;
/** How often an idle receiver looks for what nobody told it of: leases that ran out. */
const idlePollMs = 250;
const lettersMax = 1_000;

export const embeddedWorlds: CrashWorlds = {
  adapters: 'embedded',
  concurrency: 1,
  open: async () => new EmbeddedWorld(await mkdtemp(join(tmpdir(), 'crash-points-'))),
};

/** The real embedded adapters on a data directory of their own, in simulated time. Each process has its own connections. */
class EmbeddedWorld implements CrashWorld {
  readonly time = new SimulatedTime();
  readonly ackDeadlineMs = ackDeadlineMs;
  readonly #root: string;
  readonly #open = new Map<string, EmbeddedProcess>();
  readonly #waiting = new Set<() => void>();
  readonly #operator: EmbeddedProcess;
  #ids = 0;

  constructor(root: string) {
    this.#root = root;
    this.#operator = this.#process('world');
    for (const { topic, subscriptions } of proofTopology([lane])) {
      this.#operator.bus.declareTopic(topic);
      for (const name of subscriptions) {
        this.#operator.bus.declareSubscription({ name, topic, from: 'start' });
      }
    }
  }

  open(owner: string): CrashPorts {
    return this.#process(owner);
  }

  /** Nothing is in work: all that a process has under way was done in a turn of the world, or never is. */
  async drop(owner: string): Promise<void> {
    const process = this.#open.get(owner);
    this.#open.delete(owner);
    await process?.close();
  }

  replay(subscription: string): void {
    this.#operator.bus.replay({ subscription, fromMs: 0 });
    this.#wake();
  }

  backlog(): readonly string[] {
    return this.#operator.bus
      .backlog()
      .flatMap(({ subscription, messages }) => (messages === 0 ? [] : [`${subscription}: ${messages}`]));
  }

  async deadLetters(): Promise<readonly DeadLetterFacts[]> {
    const lines = await this.#operator.deadLetters.list({ limit: lettersMax });
    const letters = await Promise.all(lines.map(({ id }) => this.#operator.deadLetters.show(id)));
    return letters.flatMap((letter) => letter ?? []);
  }

  async close(): Promise<void> {
    this.time.stop();
    for (const process of this.#open.values()) {
      await process.close();
    }
    await rm(this.#root, { recursive: true, force: true });
  }

  #process(owner: string): EmbeddedProcess {
    const process = new EmbeddedProcess({
      root: this.#root,
      owner,
      time: this.time,
      newId: () => `source${String(++this.#ids).padStart(6, '0')}`,
      onPublished: () => {
        this.#wake();
      },
      published: (ms, signal) => this.#published(ms, signal),
    });
    this.#open.set(owner, process);
    return process;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    waiting.forEach((wake) => {
      wake();
    });
  }

  /** Resolves when something was published, the signal aborts, or after `ms`. */
  async #published(ms: number, signal: AbortSignal): Promise<void> {
    const ready = Promise.withResolvers<undefined>();
    const wake = (): void => {
      ready.resolve(undefined);
    };
    const forget = this.time.after(ms, wake);
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    await ready.promise;
    signal.removeEventListener('abort', wake);
    this.#waiting.delete(wake);
    forget();
  }
}

interface EmbeddedProcessOptions {
  readonly root: string;
  readonly owner: string;
  readonly time: SimulatedTime;
  readonly newId: () => string;
  readonly onPublished: () => void;
  readonly published: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What one process has open. */
class EmbeddedProcess implements CrashPorts {
  readonly bus: EmbeddedBus;
  readonly #options: EmbeddedProcessOptions;
  readonly #platform: EmbeddedPlatform;
  readonly #dedupers = new Map<string, EmbeddedDeduper>();
  #sources: EmbeddedSources | undefined;

  constructor(options: EmbeddedProcessOptions) {
    const { root, owner, time } = options;
    this.#options = options;
    this.#platform = openEmbeddedPlatform({ root, owner, telemetry: silentTelemetry });
    this.bus = openBus({ directory: dataDirectory(root), clock: time, owner });
  }

  get publisher(): CrashPorts['publisher'] {
    return {
      publish: async (messages) => {
        await this.bus.publisher.publish(messages);
        this.#options.onPublished();
      },
    };
  }

  get deadLetters(): EmbeddedPlatform['deadLetters'] {
    return this.#platform.deadLetters;
  }

  get tickets(): CrashPorts['tickets'] {
    return this.#platform.tickets;
  }

  get registry(): CrashPorts['registry'] {
    return this.#platform.registry;
  }

  get aggregates(): CrashPorts['aggregates'] {
    return this.#platform.aggregates;
  }

  get contributions(): CrashPorts['contributions'] {
    return this.#platform.contributions;
  }

  get sources(): CrashPorts['sources'] {
    const { root, newId, time } = this.#options;
    const options = { ledger: this.#platform.ledger, nowMs: () => time.nowMs(), newId };
    return (this.#sources ??= new EmbeddedSources(dataDirectory(root).state('sources'), options));
  }

  readings(layer: 'raw' | 'validated'): ReturnType<CrashPorts['readings']> {
    return this.#platform.readings(layer);
  }

  deduper(subscription: string): EmbeddedDeduper {
    const { root, time } = this.#options;
    const known = this.#dedupers.get(subscription);
    const deduper = known ?? openDeduper({ directory: dataDirectory(root), subscription, clock: time });
    this.#dedupers.set(subscription, deduper);
    return deduper;
  }

  /** The bus's own source, but for the waiting: that is done in the world's time. */
  source(subscription: string): Source {
    const source = this.bus.source(subscription, { ackDeadlineMs });
    const { time, published } = this.#options;
    return {
      subscription,
      ackDeadlineMs,
      epoch: () => source.epoch(),
      ack: (messages) => source.ack(messages),
      nack: (messages, delayMs) => source.nack(messages, delayMs),
      extend: (messages) => source.extend(messages),
      receive: async (request) => {
        const untilMs = time.nowMs() + request.waitMs;
        while (!request.signal.aborted) {
          const messages = await source.receive({ ...request, waitMs: 0 });
          if (messages.length > 0 || time.nowMs() >= untilMs) {
            return messages;
          }
          await published(Math.min(idlePollMs, untilMs - time.nowMs()), request.signal);
        }
        return [];
      },
    };
  }

  async close(): Promise<void> {
    await this.bus.close();
    this.#dedupers.forEach((deduper) => {
      deduper.close();
    });
    this.#sources?.disconnect();
    await this.#platform.close();
  }
}
