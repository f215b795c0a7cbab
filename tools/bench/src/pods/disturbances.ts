import { setTimeout as sleep } from 'node:timers/promises';
import { containerProcess, ContainerMemory } from './container-process.ts';
import { inContainer } from './inspect-sandbox.ts';
import { kubectl } from './kubectl.ts';
import {
  allDeployments,
  namespace,
  type LocalOverlay,
  type ContainerStatus,
  type Pod,
  type Terminated,
} from './local-overlay.ts';

/** What one of them did, and how long it took. */
export interface Disturbance {
  readonly what: string;
  readonly seconds: number;
}

const betweenMs = 2_000;
const services = ['rule-execution', 'aggregation', 'persistence', 'ingest', 'control'] as const;

/** Every service replaced, one after the other, as a new version would be; both lanes of one at once. */
export async function rollEvery(local: LocalOverlay): Promise<readonly Disturbance[]> {
  const done: Disturbance[] = [];
  for (const service of services) {
    const deployments = allDeployments.filter((name) => name === service || name.startsWith(`${service}-`));
    const ms = await Promise.all(deployments.map((deployment) => local.roll(deployment)));
    done.push({ what: `rolling update of ${service}`, seconds: Math.max(...ms) / 1_000 });
    await sleep(betweenMs);
  }
  return done;
}

/** To more pods, and back. */
export async function scaleUpAndDown(
  local: LocalOverlay,
  deployments: readonly string[],
): Promise<readonly Disturbance[]> {
  const fromMs = performance.now();
  await local.scale(deployments, 3);
  const upMs = performance.now();
  await sleep(betweenMs);
  await local.scale(deployments, 1);
  return [
    { what: `${deployments.join(', ')} to 3 pods each`, seconds: (upMs - fromMs) / 1_000 },
    { what: 'back to 1 each', seconds: (performance.now() - upMs - betweenMs) / 1_000 },
  ];
}

/** A pod of ours deleted every few seconds, each time of the next service. Resolves when all are ready again. */
export async function deletePods(
  local: LocalOverlay,
  { times, everyMs }: { readonly times: number; readonly everyMs: number },
): Promise<readonly Disturbance[]> {
  const fromMs = performance.now();
  for (let time = 0; time < times; time += 1) {
    const deployment = allDeployments[time % allDeployments.length] as string;
    const [pod] = await runningPods(local, deployment);
    if (pod !== undefined) {
      await kubectl(['-n', namespace, 'delete', 'pod', pod.metadata.name, '--wait=false']);
    }
    await sleep(everyMs);
  }
  await local.ready();
  return [
    { what: `${times} pods deleted, one every ${everyMs / 1_000} s`, seconds: (performance.now() - fromMs) / 1_000 },
  ];
}

/** Those that are not on their way out. */
export async function runningPods(local: LocalOverlay, deployment: string): Promise<readonly Pod[]> {
  const pods = await local.pods();
  return pods.filter(
    ({ metadata }) => metadata.name.startsWith(`${deployment}-`) && metadata.deletionTimestamp === undefined,
  );
}

const oomMsMax = 60_000;
const marginBytes = 16 * 1024 * 1024;
/** Less than a service holds, so that the kernel takes the service and not this: it ends the largest. */
const guest = 'for (const held = []; held.length < 48; ) held.push(Buffer.alloc(2 ** 20, 1))';

/**
 * Takes the memory from a container that works: its limit becomes little more than what it holds, and a program beside it asks for the
 * rest, until the kernel ends it. Resolves with how kubelet says that it ended; undefined when it lives on.
 */
export async function outOfMemory(
  local: LocalOverlay,
  deployment: string,
  container: string,
): Promise<Terminated | undefined> {
  const [pod] = await runningPods(local, deployment);
  const name = pod?.metadata.name ?? '';
  const statusOf = (each?: Pod): ContainerStatus | undefined =>
    each?.status.containerStatuses?.find((status) => status.name === container);
  const startsBefore = statusOf(pod)?.restartCount ?? 0;
  const memory = new ContainerMemory(await containerProcess(pod, container));
  memory.limitTo(memory.heldBytes() + marginBytes);
  for (const untilMs = performance.now() + oomMsMax; performance.now() < untilMs;) {
    // It ends with the container, or cannot start while that ends.
    await inContainer(pod, container, ['/usr/local/bin/node', '-e', guest]).catch(() => undefined);
    const now = statusOf((await local.pods()).find(({ metadata }) => metadata.name === name));
    if (now !== undefined && now.restartCount > startsBefore) {
      return now.lastState.terminated;
    }
    await sleep(500);
  }
  return undefined;
}
