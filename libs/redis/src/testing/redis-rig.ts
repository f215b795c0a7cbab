import { systemClock, silentTelemetry, type Labels, type Telemetry } from '@meterflow/stage';
import type { RunningPart } from '@meterflow/emulators';
import { Redis } from 'ioredis';
import { openRedis, type RedisOptions, type RedisStore } from '../open-redis.ts';

/** What a deduper counted and said. */
export interface Told {
  readonly counts: Map<string, number>;
  readonly lines: string[];
  readonly telemetry: Telemetry;
}

export function listen(): Told {
  const counts = new Map<string, number>();
  const lines: string[] = [];
  const say = (message: string): void => void lines.push(message);
  const named = (name: string, labels: Labels = {}): string => [name, ...Object.values(labels)].join(' ');
  const telemetry: Telemetry = {
    ...silentTelemetry,
    logger: { debug: say, info: say, warn: say, error: say },
    count: (name, value = 1, labels = {}) => {
      counts.set(named(name, labels), (counts.get(named(name, labels)) ?? 0) + value);
    },
    gauge: (name, value) => void counts.set(name, value),
  };
  return { counts, lines, telemetry };
}

export function openStore(nodes: readonly RunningPart[], options: Partial<RedisOptions> = {}): RedisStore {
  const [first = '', ...others] = nodes.map(({ address }) => `redis://${address}`);
  return openRedis({
    urls: [first, ...others],
    isCluster: nodes.length > 1,
    telemetry: silentTelemetry,
    clock: systemClock,
    random: () => 0.5,
    ...options,
  });
}

/** Asks each node something, by a connection of its own. */
export async function onEach<Result>(
  nodes: readonly RunningPart[],
  ask: (node: Redis) => Promise<Result>,
): Promise<readonly Result[]> {
  return Promise.all(
    nodes.map(async ({ host, port }) => {
      const node = new Redis({ host, port });
      try {
        return await ask(node);
      } finally {
        node.disconnect();
      }
    }),
  );
}

/** Lets time pass for all that is kept: everything expires so much earlier. */
export async function age(nodes: readonly RunningPart[], ms: number): Promise<void> {
  await onEach(nodes, async (node) => {
    for (const key of await node.keys('*')) {
      const leftMs = await node.pttl(key);
      await node.pexpire(key, leftMs - ms);
    }
  });
}
