import { Activations, GroupRegistry, SeriesRegistry } from '@meterflow/registry';
import { controlRests, type Surroundings } from './control-process.ts';
import { Customers } from './customers.ts';
import { endStateOf, type EndState } from './end-state.ts';
import type { Fault, FaultKind, Schedule } from './fault.ts';
import type { PlantedBug } from './planted-bug.ts';
import { sendAll } from './senders.ts';
import { cacheMs } from './stages.ts';
import { Supervisor } from './supervisor.ts';
import { ToldComplete } from './told-complete.ts';
import type { CrashPorts, CrashWorld, CrashWorlds } from './world.ts';
import { timeZone, workloadOf, type Phase, type Workload } from './workload.ts';

/** What a run came to, and how. */
export interface RunResult {
  readonly end: EndState;
  /** Side effects of each stage. */
  readonly effects: ReadonlyMap<string, number>;
  /** Rules that were broken on the way. */
  readonly breaches: readonly string[];
  /** Days that were told as complete too early, or never. */
  readonly untold: readonly string[];
  /** It did not come to its end in time. */
  readonly isStuck: boolean;
  /** Faults that were to come and never did: the run was shorter. */
  readonly faultsLeft: number;
  /** Each side effect in its order, where it was asked for. */
  readonly trace: readonly string[];
}

export interface RunOptions {
  /** The seed's own where absent. */
  readonly workload?: Workload;
  readonly bug?: PlantedBug | undefined;
  readonly traces?: boolean;
}

const runMsMaxDefault = 30 * 60_000;
const lookMs = 40;
/** So long nothing must wait before a run is over: longer than calls mostly take that are still under way. */
const restMs = 600;

/** Runs the seed's workload to its end, with the schedule's faults. */
export async function runSchedule(
  worlds: CrashWorlds,
  schedule: Schedule,
  { bug, traces = false, workload = workloadOf(schedule.seed) }: RunOptions = {},
): Promise<RunResult> {
  const world = await worlds.open();
  const faults = new Faults(schedule.faults, world, traces);
  const today: Today = { daysOverMs: undefined };
  const surroundings = { series: workload.series, daysOverMs: () => today.daysOverMs };
  const told = new ToldComplete();
  const supervisor = new Supervisor({
    ...{ world, seed: schedule.seed, bug, workload, surroundings },
    overhear: (ports) => told.overheard(ports),
    nextEffect: faults.next,
  });
  try {
    const operator = world.open('operator');
    await prepare(operator, world, workload);
    supervisor.start();
    const isStuck = await finishes(world, supervisor, () =>
      workThrough({ world, supervisor, operator, workload, surroundings, today }),
    );
    const end = await endStateOf(world, operator, workload);
    const dead = new Set((await world.deadLetters()).map(({ stage, key }) => `${stage} ${key}`));
    const breaches = supervisor.breaches({
      faults: schedule.faults,
      replays: workload.replays,
      isDead: (stage, key) => dead.has(`${stage} ${key}`),
    });
    const untold = isStuck ? [] : await told.faults(operator, workload.series);
    return { end, effects: faults.effects, breaches, untold, isStuck, faultsLeft: faults.left, trace: faults.trace };
  } finally {
    supervisor.stop();
    await world.close();
  }
}

/** Counts each stage's side effects, and says which of them a fault is due at. */
class Faults {
  readonly effects = new Map<string, number>();
  readonly trace: string[] = [];
  readonly #due: Fault[];
  readonly #world: CrashWorld;
  readonly #traces: boolean;

  constructor(faults: readonly Fault[], world: CrashWorld, traces: boolean) {
    this.#due = [...faults];
    this.#world = world;
    this.#traces = traces;
  }

  get left(): number {
    return this.#due.length;
  }

  readonly next = (stage: string, owner: string, name: string): FaultKind | undefined => {
    const effect = (this.effects.get(stage) ?? 0) + 1;
    this.effects.set(stage, effect);
    const index = this.#due.findIndex((fault) => fault.stage === stage && fault.effect === effect);
    const [fault] = index < 0 ? [] : this.#due.splice(index, 1);
    if (this.#traces) {
      const atMs = (this.#world.time.nowMs() % 10_000_000).toFixed(1);
      this.trace.push(`${atMs} ${owner} ${stage}.${effect} ${name}${fault === undefined ? '' : ` <- ${fault.kind}`}`);
    }
    return fault?.kind;
  };
}

/** How far days are over by now, as the run's calendar has it. */
interface Today {
  daysOverMs: number | undefined;
}

interface Work {
  readonly world: CrashWorld;
  readonly supervisor: Supervisor;
  readonly operator: CrashPorts;
  readonly workload: Workload;
  readonly surroundings: Surroundings;
  readonly today: Today;
}

async function prepare(ports: CrashPorts, { time }: CrashWorld, { series }: Workload): Promise<void> {
  const settings = new SeriesRegistry({ registry: ports.registry, nowMs: () => time.nowMs(), cacheMs });
  for (const tenant of new Set(series.map((each) => each.tenant))) {
    await settings.setDefault(tenant, { timeZone });
  }
  for (const { tenant, meter, channel, intervalMs } of series) {
    if (intervalMs !== undefined) {
      await settings.set(tenant, { meter, channel }, { intervalMs, unit: 'kWh' });
    }
  }
}

async function workThrough(work: Work): Promise<void> {
  const { world, supervisor, operator, workload, today } = work;
  const customers = new Customers({ supervisor, time: world.time });
  for (const phase of workload.phases) {
    if (phase.waits) {
      await atRest(work);
    }
    today.daysOverMs = phase.daysOverMs ?? today.daysOverMs;
    await activate(phase, operator, world);
    await changeZones(phase, operator, world);
    await changeGroups(phase, operator, world);
    if (phase.strays.length > 0) {
      await operator.publisher.publish(phase.strays);
    }
    const ordered = customers.order(phase.orders);
    await Promise.all([ordered, sendAll(phase.senders, { supervisor, time: world.time })]);
    if (phase.replays.length > 0) {
      await atRest(work);
      for (const subscription of phase.replays) {
        await world.replay(subscription);
      }
    }
  }
  await atRest(work);
}

/** Nothing is stamped with an older activation any more when this resolves. */
async function activate({ activations }: Phase, { registry }: CrashPorts, { time }: CrashWorld): Promise<void> {
  const all = new Activations({ registry, nowMs: () => time.nowMs(), activationLeaseMs: cacheMs });
  for (const { tenant, flow } of activations) {
    await all.create(tenant, { flow, fromMs: -8e15, toMs: 8e15, decimals: 6 });
  }
  if (activations.length > 0) {
    await time.sleep(cacheMs * 2);
  }
}

/** Nothing is aggregated in a former zone any more when this resolves, and all that was is told of. */
async function changeZones({ zoneChanges }: Phase, ports: CrashPorts, { time }: CrashWorld): Promise<void> {
  const settings = new SeriesRegistry({ registry: ports.registry, nowMs: () => time.nowMs(), cacheMs });
  for (const { tenant, meter, timeZone } of zoneChanges) {
    await settings.set(tenant, { meter, channel: 'import' }, { timeZone });
  }
  if (zoneChanges.length > 0) {
    await time.sleep(cacheMs * 2);
    await ports.publisher.publish(zoneChanges.map(({ recompute }) => recompute));
  }
}

/** Nothing is computed for who belonged before any more when this resolves, and all that was is told of. */
async function changeGroups({ groupings }: Phase, ports: CrashPorts, { time }: CrashWorld): Promise<void> {
  const settings = new SeriesRegistry({ registry: ports.registry, nowMs: () => time.nowMs(), cacheMs });
  const registry = new GroupRegistry(ports.registry);
  for (const { tenant, groups, members } of groupings) {
    for (const group of groups) {
      await registry.put(tenant, group);
    }
    for (const { meter, group, isMember } of members) {
      const validity = { fromMs: -8e15, toMs: 8e15 };
      await settings.state(
        tenant,
        { meter, channel: 'import' },
        { facts: { groups: { [group]: isMember ? true : null } }, validity },
      );
    }
  }
  if (groupings.length > 0) {
    await time.sleep(cacheMs * 2);
    await ports.publisher.publish(groupings.flatMap(({ recompute }) => recompute));
  }
}

/** Every message is settled, all is told that is to be, and no process stands still that could still write what it has. */
async function atRest({ world, supervisor, operator, workload, surroundings }: Work): Promise<void> {
  let restFromMs = Infinity;
  while (world.time.nowMs() < restFromMs + restMs) {
    await world.time.sleep(lookMs);
    const rests =
      supervisor.idle &&
      (await world.backlog()).length === 0 &&
      (!workload.controls || (await controlRests(operator, surroundings)));
    restFromMs = rests ? Math.min(restFromMs, world.time.nowMs()) : Infinity;
  }
}

/** True when it did not come to its end in time. */
async function finishes(world: CrashWorld, supervisor: Supervisor, work: () => Promise<void>): Promise<boolean> {
  const late = world.time.sleep(world.runMsMax ?? runMsMaxDefault).then(() => true);
  const done = work().then(() => false);
  const stuck = await Promise.race([done, late, supervisor.failed]);
  world.time.stop();
  return stuck;
}
