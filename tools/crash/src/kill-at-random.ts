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
  readonly onKill?: (victim: string, done: number) => void;
}

/** So many of a hundred kills are to the whole tree, and to its supervisor alone. */
const allPercent = 10;
const supervisorPercent = 10;

/** SIGKILL to one process of the tree or to all of them, at random moments; returns how many each had. */
export async function killAtRandom(plan: KillPlan): Promise<ReadonlyMap<string, number>> {
  const { kills, everyMs, random, current } = plan;
  const killed = new Map<string, number>();
  for (let done = 0; done < kills;) {
    await sleep(random() * 2 * everyMs);
    const victim = killOne(current(), random);
    if (victim !== undefined) {
      killed.set(victim, (killed.get(victim) ?? 0) + 1);
      done += 1;
      plan.onKill?.(victim, done);
    }
  }
  return killed;
}

/** Undefined when there was nothing to kill. */
function killOne(command: MeterflowCommand, random: () => number): string | undefined {
  const tree = command.tree();
  if (tree.length === 0) {
    return undefined;
  }
  const percent = random() * 100;
  if (percent < allPercent) {
    return command.killAll() > 0 ? 'all' : undefined;
  }
  const supervisor = percent < allPercent + supervisorPercent;
  const services = tree.filter(({ name }) => (name === 'supervisor') === supervisor);
  const victim = services.length === 0 ? undefined : pick(services, random);
  return victim !== undefined && signalProcess(victim, 'SIGKILL') ? victim.name : undefined;
}
