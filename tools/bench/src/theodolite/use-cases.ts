import { SheetCursor, sumHighUnit, wholeWindow } from '@meterflow/aggregates';
import type { EmbeddedPlatform } from '@meterflow/embedded';
import { groupMeter, SeriesRegistry } from '@meterflow/registry';
import type { DevServer } from '../dev-server.ts';
import { send } from '../requests.ts';
import { firstStartMs, intervalMs, sensorChannel, sensorName, type SensorLoad } from './sensor-load.ts';
import { groupOf, moveSensors, registerTree, sensorsOf } from './sensor-tree.ts';

export const tenant = 'default';
const channel = sensorChannel;
const dayMs = 86_400_000;
const hourMs = 3_600_000;
const wattsEach = 10;
/** The published sliding window, and by how much it is moved on. */
const windowDays = 30;
const emitEveryMs = 15_000;

/** What runs while the load does. */
export interface UnderLoad {
  readonly server: DevServer;
  readonly sensors: SensorLoad;
  readonly signal: AbortSignal;
}

/** One of the four benchmarks. */
export interface UseCase {
  readonly name: 'uc1' | 'uc2' | 'uc3' | 'uc4';
  readonly title: string;
  /** What a load is, and the loads that are tried unless told, ascending. */
  readonly loads: readonly number[];
  readonly loadName: 'sensors' | 'nested groups';
  sensorsOf(load: number): number;
  /** Whose backlogs are its lag. */
  readonly subscriptions: readonly string[];
  prepare(platform: EmbeddedPlatform, load: number): Promise<void>;
  /** Resolves once the signal has aborted. */
  underLoad(running: UnderLoad, load: number): Promise<void>;
  /** After everything has come to rest: what is wrong, if anything. `rounds`: measurements that each sensor has sent. */
  check(done: {
    readonly platform: EmbeddedPlatform;
    readonly server: DevServer;
    readonly rounds: number;
    readonly load: number;
  }): Promise<string[]>;
}

const sensorLoads = [1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 50_000, 75_000, 100_000];
const stored = ['rule-execution.live', 'persistence-raw.live', 'persistence-validated.live'];
const aggregated = [...stored, 'aggregation.live', 'persistence-aggregates.live'];

const bySensors = {
  loadName: 'sensors',
  loads: sensorLoads,
  sensorsOf: (load: number) => load,
  prepare: (platform: EmbeddedPlatform) => registerInterval(platform),
  underLoad: () => Promise.resolve(),
} as const;

const uc1: UseCase = {
  ...bySensors,
  name: 'uc1',
  title: 'database storage',
  subscriptions: stored,
  check: async ({ platform, rounds, load }) => {
    const counts = await perSensor(load, (sensor) => readingsOf(platform, sensor));
    return unequal('readings', counts, rounds);
  },
};

const uc2: UseCase = {
  ...bySensors,
  name: 'uc2',
  title: 'downsampling',
  subscriptions: aggregated,
  check: async ({ platform, rounds, load }) => {
    const sums = await perSensor(load, (sensor) => sumOfHours(platform, sensorName(sensor)));
    return unequal('hourly sums', sums, rounds * wattsEach);
  },
};

const uc3: UseCase = {
  ...bySensors,
  name: 'uc3',
  title: 'hour of day, 30 days sliding by one',
  subscriptions: aggregated,
  underLoad: async ({ server, signal }) => {
    while (!signal.aborted) {
      await untilAborted(emitEveryMs, signal);
      await hoursOfDay(server);
    }
  },
  check: async ({ server, rounds, load }) => {
    const { rows, measurements } = await hoursOfDay(server);
    const hours = Math.ceil((rounds * intervalMs) / hourMs);
    return [
      ...unequal('rows of hours of the day', [rows], load * hours * windowDays),
      ...unequal('measurements in windows', [measurements], load * rounds * windowDays),
    ];
  },
};

const uc4: UseCase = {
  name: 'uc4',
  title: 'hierarchical groups, changing',
  loadName: 'nested groups',
  loads: [3, 4, 5, 6, 7, 8],
  sensorsOf,
  subscriptions: [...aggregated, 'aggregation-nodes.live'],
  prepare: async (platform, load) => {
    await registerInterval(platform);
    await registerTree(platform, tenant, load);
  },
  underLoad: async ({ server, sensors, signal }, load) => {
    await moveSensors(server, { levels: load, fromMs: () => sensors.nextStartMs, signal });
  },
  check: async ({ platform, rounds, load }) => {
    const total = await sumOfHours(platform, groupMeter(groupOf(0, load, 0)));
    return unequal('the sum of all', [total], rounds * wattsEach * sensorsOf(load));
  },
};

export const useCases: readonly UseCase[] = [uc1, uc2, uc3, uc4];

/** So that measurements are summed whatever else comes, and one alone tells no length of its own. */
function registerInterval({ registry }: EmbeddedPlatform): Promise<void> {
  return new SeriesRegistry({ registry, nowMs: Date.now, cacheMs: -1 }).beginDefault(tenant, { intervalMs });
}

/** The first, the last and some between. */
async function perSensor(sensors: number, of: (sensor: number) => Promise<number>): Promise<number[]> {
  const looked = new Set(Array.from({ length: 101 }, (_, part) => Math.floor(((sensors - 1) * part) / 100)));
  const found: number[] = [];
  for (const sensor of looked) {
    found.push(await of(sensor));
  }
  return found;
}

function unequal(what: string, found: readonly number[], expected: number): string[] {
  const wrong = found.find((each) => each !== expected);
  return wrong === undefined ? [] : [`${what}: ${wrong}, not ${expected}`];
}

async function readingsOf(platform: EmbeddedPlatform, sensor: number): Promise<number> {
  const series = { tenant, meter: sensorName(sensor), channel, layer: 'validated' } as const;
  const segments = await platform
    .readings('validated')
    .read({ ...series, fromMs: firstStartMs, toMs: firstStartMs + dayMs });
  return segments.reduce((sum, { columns }) => sum + columns.values.length, 0);
}

/** Of the load's one day. */
async function sumOfHours(platform: EmbeddedPlatform, meter: string): Promise<number> {
  const span = { fromMs: firstStartMs, toMs: firstStartMs + dayMs };
  const cursor = new SheetCursor(await platform.aggregates.read({ tenant, meter, channel, level: 'day', ...span }));
  let sum = 0;
  while (cursor.next()) {
    const { rows, decimals } = cursor.batch;
    for (let row = cursor.rowsFrom; row < cursor.rowsTo; row++) {
      if (rows.hour[row] !== wholeWindow) {
        sum += ((rows.sumHigh[row] as number) * sumHighUnit + (rows.sumLow[row] as number)) / 10 ** decimals;
      }
    }
  }
  return sum;
}

/**
 * Sum, count, least, greatest and mean of each sensor by hour of day, in every window of 30 days that a stored hour is in.
 * Computed as a whole; what comes back is how many rows that makes, and what they hold together.
 */
async function hoursOfDay(server: DevServer): Promise<{ readonly rows: number; readonly measurements: number }> {
  const sql = `select count(*)::bigint as rows, sum(n)::bigint as measurements, sum(s), min(lo), max(hi), max(mean) from (
    select meter, hour(start) as hour_of_day, day - back * interval 1 day as since, sum(count) as n, sum("sum") as s,
           min(min) as lo, max(max) as hi, sum("sum") / sum(count) as mean
    from (select *, date_trunc('day', start) as day from aggregates where resolution = 'hour' and channel = '${channel}'),
         range(${windowDays}) as slid(back)
    group by all)`;
  const body = { sql };
  const told = await send(server, { service: 'control', method: 'POST', path: '/v1/sql', role: 'operator', body });
  return (JSON.parse(told) as { rows: number; measurements: number }[])[0] ?? { rows: 0, measurements: 0 };
}

function untilAborted(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((wake) => {
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      wake();
    });
  });
}
