import { setTimeout as sleep } from 'node:timers/promises';
import type { MeterflowCommand } from './command.ts';
import { signalProcess } from './process-tree.ts';
import { pick } from './random.ts';

export interface KillPlan {
  readonly kills: number;
  /** The mean time between two kills. */
  readonly everyMs: number;
  readonly random: () => number;
  /** The command as it runs now. */
  readonly current: () => MeterflowCommand;
  /** Who is killed; any of them where not told. */
  readonly victims?: readonly string[];
  readonly onKill?: (victim: string, done: number) => void;
}

/** So many of a hundred kills are to the whole tree, and to its supervisor alone; the others to one of these. */
const allPercent = 10;
const supervisorPercent = 10;
const services = ['ingest', 'rule-execution', 'sandbox', 'persistence', 'aggregation', 'control'];

/** How long a chosen victim is waited for that does not run now; then another is chosen. */
const victimMsMax = 10_000;
const lookEveryMs = 10;

/** SIGKILL to one process of the tree or to all of them, at random moments; returns how many each had. */
export async function killAtRandom(plan: KillPlan): Promise<ReadonlyMap<string, number>> {
  const { kills, random, victims } = plan;
  const killed = new Map<string, number>();
  for (let done = 0; done < kills;) {
    const victim = victims === undefined ? victimOf(random) : pick(victims, random);
    if (await killOnce(victim, plan)) {
      killed.set(victim, (killed.get(victim) ?? 0) + 1);
      done += 1;
      plan.onKill?.(victim, done);
    }
  }
  return killed;
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
