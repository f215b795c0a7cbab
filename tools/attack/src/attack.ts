import { existsSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { RuleFailureError, type Flow, type FlowResult } from '@meterflow/rules';
import { sandboxLimits, type IsolatedSandbox } from '@meterflow/sandbox';
import type { HonestRound, HonestTenants } from './honest-tenants.ts';
import { flowOfTry, type HostileRule } from './hostile-rule.ts';
import { descendants, residentBytes } from './process-tree.ts';
import { runOnce } from './run-once.ts';

/** What becomes of one try of a hostile rule. */
export type Fate =
  'changed nothing' | 'changed its own readings' | 'failed its own readings' | RuleFailureError['code'];

export interface AttackReport {
  readonly name: string;
  readonly tries: string;
  readonly fates: ReadonlyMap<Fate, number>;
  /** Who or what was hurt, in words; none: the attack failed. */
  readonly hurt: readonly string[];
  readonly slowestMs: number;
  readonly residentMiB: number;
}

export interface Ground {
  readonly sandbox: IsolatedSandbox;
  readonly honest: HonestTenants;
  /** None of the honest tenants may wait longer in any round. */
  readonly lateMsMax: number;
  /** What all processes held before the first attack. */
  readonly residentBytesBefore: number;
}

/**
 * Memory may be this much more than before: garbage that is not collected yet, what the allocator keeps, and the isolates
 * that each of the hostile tenants may have, however often it tried: full ones, whose garbage waits for their next run.
 */
const residentSlackBytes = 192 * 1024 * 1024;
const residentBytesPerTenant = sandboxLimits.isolatesPerTenantMax * sandboxLimits.isolateMiBMax * 1024 * 1024;
/** What an attack that finds a way out of its isolate writes to. */
const escapedFile = '/tmp/meterflow-escaped';
const settleMsMax = 5_000;
/** Children that stay the same for so long are at rest. */
const stillMsMin = 100;
const lookMs = 20;

export interface Tries {
  /** How often the attack is made, each time as a new version. */
  readonly times: number;
  /** So many at once, each by a tenant of its own, beside one round of the honest tenants. */
  readonly together: number;
  /** Told after each round how many are done. */
  readonly onRound?: (done: number) => void;
}

/** Makes one attack again and again beside the honest tenants. */
export async function attack(rule: HostileRule, tries: Tries, ground: Ground): Promise<AttackReport> {
  const { times, together, onRound } = tries;
  const fates = new Map<Fate, number>();
  const hurt = new Set<string>();
  let slowestMs = 0;
  rmSync(escapedFile, { force: true });
  for (let done = 0; done < times; done += together) {
    const hostile = Array.from({ length: Math.min(together, times - done) }, (_, index) => ({
      flow: flowOfTry(rule, done + index),
      tenant: `hostile-${index}`,
    }));
    const { outcomes, honest } = await round(ground, hostile, hurt);
    outcomes.forEach((fate) => fates.set(fate, (fates.get(fate) ?? 0) + 1));
    honest.hurt.forEach((what) => hurt.add(what));
    slowestMs = Math.max(slowestMs, honest.slowestMs);
    const killers = hostile.filter((_, index) => isKiller(outcomes[index] as Fate));
    await checkQuarantine(ground, killers, hurt);
    onRound?.(done + hostile.length);
  }
  if (slowestMs > ground.lateMsMax) {
    hurt.add(`an honest tenant waited ${Math.round(slowestMs)} ms, more than ${Math.round(ground.lateMsMax)} ms`);
  }
  if (existsSync(escapedFile)) {
    hurt.add('it wrote a file');
  }
  const residentMiB = await checkProcesses(ground, together, hurt);
  return { name: rule.name, tries: rule.tries, fates, hurt: [...hurt], slowestMs, residentMiB };
}

/** One round of the honest tenants, with all these tries in its middle. */
async function round(
  ground: Ground,
  hostile: readonly HostileTry[],
  hurt: Set<string>,
): Promise<{ readonly outcomes: readonly Fate[]; readonly honest: HonestRound }> {
  let outcomes: Promise<Fate[]> | undefined;
  const honest = await ground.honest.round(() => {
    outcomes = Promise.all(hostile.map((each) => fateOf(ground, each, hurt)));
  });
  return { outcomes: (await outcomes) as Fate[], honest };
}

function isKiller(fate: Fate): boolean {
  return fate === 'rule-timed-out' || fate === 'rule-killed-its-host';
}

interface HostileTry {
  readonly flow: Flow;
  readonly tenant: string;
}

async function fateOf({ sandbox }: Ground, { flow, tenant }: HostileTry, hurt: Set<string>): Promise<Fate> {
  try {
    const result = await runOnce(sandbox, flow, { tenant, seed: 0 });
    if (told(result).includes('ESCAPED')) {
      hurt.add('it found a way out of its isolate');
    }
    const failed = result.changes.some((bits) => bits >= 64);
    return failed ? 'failed its own readings' : result.any === 0 ? 'changed nothing' : 'changed its own readings';
  } catch (error) {
    if (error instanceof RuleFailureError) {
      return error.code;
    }
    hurt.add(`the service was down: ${(error as Error).message}`);
    return 'changed nothing';
  }
}

/** All texts that came back with a result. */
function told({ texts, failures }: FlowResult): string {
  return [...texts, ...failures.map(({ message }) => message)].join('\n');
}

/** A version that cost a child must not be run again, for its tenant. */
async function checkQuarantine({ sandbox }: Ground, killers: readonly HostileTry[], hurt: Set<string>): Promise<void> {
  if (killers.length === 0) {
    return;
  }
  const before = await childrenAtRest(sandbox);
  for (const { flow, tenant } of killers) {
    const again = await runOnce(sandbox, flow, { tenant, seed: 0 }).catch((error: unknown) => error);
    if (!(again instanceof RuleFailureError) || sandbox.childPids.join() !== before) {
      hurt.add('its version is not in quarantine');
    }
  }
}

/** The children, once none of them is about to go or to be replaced: those alone with a suspect go a little later. */
async function childrenAtRest(sandbox: IsolatedSandbox): Promise<string> {
  const untilMs = performance.now() + settleMsMax;
  let pids = sandbox.childPids.join();
  for (let stillMs = 0; stillMs < stillMsMin && performance.now() < untilMs; stillMs += lookMs) {
    await sleep(lookMs);
    const now = sandbox.childPids.join();
    stillMs = now === pids ? stillMs : 0;
    pids = now;
  }
  return pids;
}

/** Nothing but the sandbox's own children runs, and all of it is about as large as before. Returns its size. */
async function checkProcesses(
  { sandbox, residentBytesBefore }: Ground,
  hostileTenants: number,
  hurt: Set<string>,
): Promise<number> {
  const residentBytesMax = residentBytesBefore + residentSlackBytes + hostileTenants * residentBytesPerTenant;
  const untilMs = performance.now() + settleMsMax;
  const settled = (): boolean => {
    const running = descendants(process.pid);
    const resident = residentBytes([process.pid, ...running]);
    return running.length <= sandbox.childPids.length && resident <= residentBytesMax;
  };
  while (!settled() && performance.now() < untilMs) {
    await sleep(50);
  }
  const running = descendants(process.pid);
  if (running.length > sandbox.childPids.length) {
    hurt.add(`${running.length} processes are left, not ${sandbox.childPids.length}`);
  }
  const resident = residentBytes([process.pid, ...running]);
  if (resident > residentBytesMax) {
    hurt.add(`memory is not back where it was: ${mib(resident)} MiB, not ${mib(residentBytesBefore)}`);
  }
  return mib(resident);
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
