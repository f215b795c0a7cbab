import { setTimeout as sleep } from 'node:timers/promises';
import type { MeterflowCommand } from './command.ts';
import { signalProcess } from './process-tree.ts';
import { pick, shuffled } from './random.ts';

export interface KillPlan {
  readonly kills: number;
  /** The mean time between two kills. */
  readonly everyMs: number;
  readonly random: () => number;
  /** The command as it runs now. */
  readonly current: () => MeterflowCommand;
  /** Who is killed; any of them where not told. */
  readonly victims?: readonly string[];
  /** What else befalls the run, each about as often, spread over it. */
  readonly disturbances?: readonly Disturbance[];
  readonly onKill?: (victim: string, done: number) => void;
}

/** Something that befalls what the processes stand on. */
export interface Disturbance {
  readonly name: string;
  /** Resolves when it is over; kills go on meanwhile. */
  run(): Promise<void>;
}

/** Kills between two disturbances, at most; each kind comes at least once. */
const killsPerDisturbance = 10;

/** So many of a hundred kills are to the whole tree, and to its supervisor alone; the others to one of these. */
const allPercent = 10;
const supervisorPercent = 10;
const services = ['ingest', 'rule-execution', 'sandbox', 'persistence', 'aggregation', 'control'];

/** How long a chosen victim is waited for that does not run now; then another is chosen. */
const victimMsMax = 10_000;
const lookEveryMs = 10;

/** What befell a run, and how often. */
export interface Befallen {
  readonly killed: ReadonlyMap<string, number>;
  readonly disturbed: ReadonlyMap<string, number>;
}

/** SIGKILL to one process of the tree or to all of them, at random moments. */
export async function killAtRandom(plan: KillPlan): Promise<Befallen> {
  const { kills, random, victims } = plan;
  const killed = new Map<string, number>();
  const disturb = disturber(plan);
  for (let done = 0; done < kills;) {
    const victim = victims === undefined ? victimOf(random) : pick(victims, random);
    if (await killOnce(victim, plan)) {
      addOne(killed, victim);
      done += 1;
      plan.onKill?.(victim, done);
      disturb.after(done);
    }
  }
  return { killed, disturbed: await disturb.over() };
}

interface Disturber {
  after(kills: number): void;
  /** Resolves with how many of each there were. */
  over(): Promise<ReadonlyMap<string, number>>;
}

/** Lets disturbances begin at even distances, one at a time. */
function disturber({ disturbances = [], kills, random }: KillPlan): Disturber {
  const disturbed = new Map<string, number>();
  const times = Math.ceil(kills / killsPerDisturbance / Math.max(1, disturbances.length));
  const due = Array.from({ length: times }, () => shuffled(disturbances, random)).flat();
  const everyKills = kills / (due.length + 1);
  let next = 0;
  let running: Promise<void> = Promise.resolve();
  return {
    after: (done) => {
      const disturbance = due[next];
      if (disturbance !== undefined && done >= (next + 1) * everyKills) {
        next += 1;
        addOne(disturbed, disturbance.name);
        running = running.then(() => disturbance.run());
        // Told to who waits for its end.
        running.catch(() => undefined);
      }
    },
    over: () => running.then(() => disturbed),
  };
}

function addOne(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function victimOf(random: () => number): string {
  const percent = random() * 100;
  if (percent < allPercent) {
    return 'all';
  }
  return percent < allPercent + supervisorPercent ? 'supervisor' : pick(services, random);
}

/** Waits until the victim runs, then for a random time, then kills whoever has its place; false when it did not come. */
async function killOnce(victim: string, { current, random, everyMs }: KillPlan): Promise<boolean> {
  const endMs = performance.now() + victimMsMax;
  let aliveUntilMs: number | undefined;
  while (performance.now() < endMs) {
    const command = current();
    const tree = command.tree();
    const there = victim === 'all' ? tree.length > 1 : tree.some(({ name }) => name === victim);
    aliveUntilMs ??= there ? performance.now() + random() * 2 * everyMs : undefined;
    if (there && aliveUntilMs !== undefined && performance.now() >= aliveUntilMs) {
      return victim === 'all'
        ? command.killAll() > 0
        : tree.some((each) => each.name === victim && signalProcess(each, 'SIGKILL'));
    }
    await sleep(lookEveryMs);
  }
  return false;
}
