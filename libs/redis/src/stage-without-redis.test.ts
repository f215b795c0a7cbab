import { skippedWithout, startRedis, type RunningPart } from '@meterflow/emulators';
import {
  runStage,
  silentTelemetry,
  stageLimits,
  systemClock,
  type DeadLetter,
  type LeasedMessage,
  type Source,
  type Stage,
} from '@meterflow/stage';
import { afterEach, describe, expect, test } from 'vitest';
import { openStore, onEach } from './testing/redis-rig.ts';

const facts = 300;

/** Delivers each fact twice, some of them at once, until it is acked. */
class TwiceDelivered implements Source {
  readonly subscription = 'echo.bulk';
  readonly ackDeadlineMs = 300;
  #left: { readonly message: LeasedMessage; dueAtMs: number }[] = Array.from({ length: 2 * facts }, (_, index) => ({
    message: {
      id: String(index),
      payload: new TextEncoder().encode(String(Math.floor(index / 2)).padStart(4, '0')),
      attributes: {},
      publishedAtMs: 0,
      deliveryAttempt: 1,
    },
    dueAtMs: 0,
  }));

  get unsettled(): number {
    return this.#left.length;
  }

  epoch(): Promise<number> {
    return Promise.resolve(1);
  }

  async receive({ messagesMax, waitMs, signal }: Parameters<Source['receive']>[0]): Promise<readonly LeasedMessage[]> {
    const due = this.#left.filter(({ dueAtMs }) => dueAtMs <= Date.now()).slice(0, messagesMax);
    due.forEach((held) => (held.dueAtMs = Date.now() + this.ackDeadlineMs));
    if (due.length === 0) {
      await systemClock.sleep(Math.min(waitMs, 20), signal);
    }
    return due.map(({ message }) => message);
  }

  ack(messages: readonly LeasedMessage[]): Promise<void> {
    this.#left = this.#left.filter(({ message }) => !messages.some(({ id }) => id === message.id));
    return Promise.resolve();
  }

  nack(messages: readonly LeasedMessage[], delayMs: number): Promise<void> {
    this.#lease(messages, delayMs);
    return Promise.resolve();
  }

  extend(messages: readonly LeasedMessage[]): Promise<void> {
    this.#lease(messages, this.ackDeadlineMs);
    return Promise.resolve();
  }

  #lease(messages: readonly LeasedMessage[], ms: number): void {
    const ids = new Set(messages.map(({ id }) => id));
    this.#left.filter(({ message }) => ids.has(message.id)).forEach((held) => (held.dueAtMs = Date.now() + ms));
  }
}

const stage: Stage<string, undefined, string> = {
  name: 'echo',
  decode: ({ payload }) => new TextDecoder().decode(payload),
  key: (input) => `acme/${input}`,
  origin: () => ({ tenant: 'acme', causes: [], layers: [] }),
  read: () => Promise.resolve(undefined),
  handle: async (inputs) => {
    await systemClock.sleep(5);
    return { writes: inputs, messages: [] };
  },
};

/** What goes wrong with Redis, once some of the facts are stored. It may give another server. */
const outages: Readonly<Record<string, (server: RunningPart) => Promise<RunningPart>>> = {
  'well all the time': (server) => Promise.resolve(server),
  flushed: async (server) => {
    await onEach([server], (node) => node.flushall());
    return server;
  },
  full: async (server) => {
    await onEach([server], async (node) => {
      await node.config('SET', 'maxmemory', '1');
    });
    return server;
  },
  stuck: (server) => {
    process.kill(server.pid, 'SIGSTOP');
    setTimeout(() => process.kill(server.pid, 'SIGCONT'), 700);
    return Promise.resolve(server);
  },
  restarted: async (server) => {
    await server.kill();
    return startRedis({ port: server.port });
  },
  'gone for good': async (server) => {
    await server.kill();
    return server;
  },
};

describe.skipIf(skippedWithout('redis'))('a stage comes to the same end when Redis is [needs redis]', () => {
  let server: RunningPart;

  afterEach(() => server.kill());

  test.each(Object.entries(outages))('%s', async (_, breakIt) => {
    server = await startRedis();
    const store = openStore([server], { callMsMax: 100 });
    const source = new TwiceDelivered();
    const written = new Set<string>();
    const letters: DeadLetter[] = [];
    let breaking: Promise<void> | undefined;
    const stop = new AbortController();
    const ports = {
      source,
      deduper: store.deduper,
      publisher: { publish: () => Promise.resolve() },
      deadLetters: { put: (some: readonly DeadLetter[]) => Promise.resolve(void letters.push(...some)) },
      clock: systemClock,
      telemetry: silentTelemetry,
      sink: {
        write: (writes: readonly string[]) => {
          writes.forEach((fact) => written.add(fact));
          if (written.size > facts / 4) {
            breaking ??= breakIt(server).then((now) => {
              server = now;
            });
          }
          return Promise.resolve();
        },
      },
    };
    const running = runStage(stage, ports, { limits: stageLimits, owner: 'a', signal: stop.signal });
    await expect.poll(() => source.unsettled, { timeout: 15_000, interval: 10 }).toBe(0);
    await breaking;
    stop.abort();
    await running;
    expect(written.size).toBe(facts);
    expect(letters).toEqual([]);
    await store.close();
  });
});
