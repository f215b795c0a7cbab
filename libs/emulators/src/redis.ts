import { setTimeout as sleep } from 'node:timers/promises';
import { requirePart } from './find-part.ts';
import { freePort } from './free-port.ts';
import { askRedis } from './redis-command.ts';
import { localhost, type RunningPart, type StartOptions } from './running-part.ts';
import { startPart } from './start-part.ts';

/** redis-server, empty; nothing of it reaches a disk. `args` are more of its options, as `['--maxmemory', '4mb']`. */
export async function startRedis(
  options: StartOptions & { readonly args?: readonly string[] } = {},
): Promise<RunningPart> {
  const { command } = requirePart('redis');
  return startPart(
    {
      command,
      args: (port) => [
        ...['--port', String(port), '--bind', localhost, '--save', '', '--appendonly', 'no'],
        ...(options.args ?? []),
      ],
      ready: /Ready to accept connections/,
    },
    options,
  );
}

export interface RunningRedisCluster {
  readonly nodes: readonly RunningPart[];
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const clusterNodes = 3;
const slots = 16_384;
const joinMsMax = 20_000;
const joinPollMs = 50;

/** Three masters without replicas, which share the slots evenly. */
export async function startRedisCluster(): Promise<RunningRedisCluster> {
  const nodes = await Promise.all(Array.from({ length: clusterNodes }, () => startClusterNode()));
  const each = (call: (node: RunningPart) => Promise<unknown>): Promise<void> =>
    Promise.all(nodes.map(call)).then(() => undefined);
  const cluster = { nodes, stop: () => each((node) => node.stop()), kill: () => each((node) => node.kill()) };
  try {
    await join(nodes);
    return cluster;
  } catch (error) {
    await cluster.kill();
    throw error;
  }
}

async function startClusterNode(): Promise<RunningPart> {
  const busPort = await freePort();
  return startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)] });
}

async function join(nodes: readonly RunningPart[]): Promise<void> {
  const [first] = nodes as [RunningPart];
  const busPort = /cluster-port\r\n\$\d+\r\n(\d+)/.exec(await askRedis(first, 'CONFIG GET cluster-port'))?.[1];
  for (const [index, node] of nodes.entries()) {
    const from = Math.ceil((index * slots) / nodes.length);
    const to = Math.ceil(((index + 1) * slots) / nodes.length) - 1;
    await askRedis(node, `CLUSTER ADDSLOTSRANGE ${from} ${to}`);
    await askRedis(node, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`);
    if (node !== first) {
      await askRedis(node, `CLUSTER MEET ${first.host} ${first.port} ${busPort ?? ''}`);
    }
  }
  const untilMs = Date.now() + joinMsMax;
  while (!(await allJoined(nodes))) {
    if (Date.now() > untilMs) {
      throw new Error(`The Redis nodes did not form a cluster: ${await askRedis(first, 'CLUSTER NODES')}`);
    }
    await sleep(joinPollMs);
  }
}

async function allJoined(nodes: readonly RunningPart[]): Promise<boolean> {
  const states = await Promise.all(nodes.map((node) => askRedis(node, 'CLUSTER INFO')));
  return states.every((state) => state.includes('cluster_state:ok') && state.includes(`cluster_size:${nodes.length}`));
}
