import type { EmbeddedPlatform } from '@meterflow/embedded';
import { GroupRegistry, SeriesRegistry, type GroupRequest } from '@meterflow/registry';
import type { DevServer } from '../dev-server.ts';
import { send } from '../requests.ts';
import { sensorChannel, sensorName } from './sensor-load.ts';

const childrenEach = 4;
/** The published window of 5 s, in which each sensor measures five times. */
const slotMs = 5 * 60_000;
const moveEveryMs = 5_000;
/** Moves under way: each waits until all services know of it. */
const movesAtOnceMax = 4;

/** Four sensors in each group of the lowest level, four groups in each above it: 4^levels sensors. */
export function sensorsOf(levels: number): number {
  return childrenEach ** levels;
}

/** The group of a level that holds a sensor; level 0 is the one above all. */
export function groupOf(level: number, levels: number, sensor: number): string {
  return `g_${level}_${Math.floor(sensor / childrenEach ** (levels - level))}`;
}

/** Registers the whole tree, lowest level first, and every sensor as a member at the bottom. */
export async function registerTree(platform: EmbeddedPlatform, tenant: string, levels: number): Promise<void> {
  const groups = new GroupRegistry(platform.registry);
  for (let level = levels - 1; level >= 0; level--) {
    const groupCount = childrenEach ** level;
    for (let index = 0; index < groupCount; index++) {
      await groups.put(tenant, nodeOf(level, levels, index));
    }
  }
  const series = new SeriesRegistry({ registry: platform.registry, nowMs: Date.now, cacheMs: -1 });
  const sensors = sensorsOf(levels);
  for (let from = 0; from < sensors; from += 1_000) {
    const some = Array.from({ length: Math.min(1_000, sensors - from) }, (_, index) => from + index);
    await series.apply(
      tenant,
      some.map((sensor) => ({
        series: { meter: sensorName(sensor), channel: sensorChannel },
        part: {},
        facts: { groups: { [groupOf(levels - 1, levels, sensor)]: true as const } },
        validity: { fromMs: Date.UTC(2020, 0, 1) },
      })),
    );
  }
}

function nodeOf(level: number, levels: number, index: number): GroupRequest {
  const children = Array.from({ length: childrenEach }, (_, child) => `g_${level + 1}_${index * childrenEach + child}`);
  return {
    name: `g_${level}_${index}`,
    channel: sensorChannel,
    unit: 'W',
    timeZone: 'UTC',
    intervalMs: slotMs,
    source:
      level === levels - 1 ? { kind: 'members' } : { kind: 'children', children: children.map((group) => ({ group })) },
  };
}

/**
 * Moves one sensor after the other from its group into the next one, from `fromMs()` on, until it is stopped: the
 * hierarchy changes while measurements come. Resolves with the number of moves.
 */
export async function moveSensors(
  server: DevServer,
  { levels, fromMs, signal }: { readonly levels: number; readonly fromMs: () => number; readonly signal: AbortSignal },
): Promise<number> {
  const under = new Set<Promise<void>>();
  let moves = 0;
  while (!signal.aborted) {
    if (under.size < movesAtOnceMax) {
      const sensor = (moves * childrenEach) % sensorsOf(levels);
      const moving: Promise<void> = moveSensor(server, { levels, sensor, fromMs: fromMs() }).finally(() => {
        under.delete(moving);
      });
      under.add(moving);
      moves += 1;
    }
    await new Promise((wake) => setTimeout(wake, moveEveryMs));
  }
  await Promise.all(under);
  return moves;
}

async function moveSensor(
  server: DevServer,
  { levels, sensor, fromMs }: { readonly levels: number; readonly sensor: number; readonly fromMs: number },
): Promise<void> {
  const validFrom = new Date(fromMs).toISOString();
  const meter = { meter: sensorName(sensor), channel: sensorChannel };
  const change = (group: string, member: boolean): Promise<string> =>
    send(server, {
      ...{ service: 'control', method: 'POST', role: 'operator' },
      path: `/v1/groups/${group}/members`,
      body: { ...meter, member, validFrom },
    });
  const next = (sensor + childrenEach) % sensorsOf(levels);
  await Promise.all([
    change(groupOf(levels - 1, levels, sensor), false),
    change(groupOf(levels - 1, levels, next), true),
  ]);
}
