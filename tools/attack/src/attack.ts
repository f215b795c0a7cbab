import { existsSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { RuleFailureError, type Flow, type FlowResult } from '@meterflow/rules';
import type { IsolatedSandbox } from '@meterflow/sandbox';
import type { HonestTenants } from './honest-tenants.ts';
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

/** Memory may be this much more than before: garbage that is not collected yet, and what the allocator keeps. */
const residentSlackBytes = 192 * 1024 * 1024;
/** What an attack that finds a way out of its isolate writes to. */
const escapedFile = '/tmp/meterflow-escaped';
const hostile = { tenant: 'hostile', seed: 0 } as const;
const settleMsMax = 5_000;

/** Makes one attack `times` times beside the honest tenants, each time as a new version. */
export async function attack(rule: HostileRule, times: number, ground: Ground): Promise<AttackReport> {
  const fates = new Map<Fate, number>();
  const hurt = new Set<string>();
  let slowestMs = 0;
  rmSync(escapedFile, { force: true });
  for (let round = 0; round < times; round++) {
    const flow = flowOfTry(rule, round);
    let outcome: Promise<Fate> | undefined;
    const honest = await ground.honest.round(() => {
      outcome = fateOf(ground, flow, hurt);
    });
    const fate = (await outcome) as Fate;
    fates.set(fate, (fates.get(fate) ?? 0) + 1);
    honest.hurt.forEach((what) => hurt.add(what));
    slowestMs = Math.max(slowestMs, honest.slowestMs);
    if (fate === 'rule-timed-out' || fate === 'rule-killed-its-host') {
      await checkQuarantine(ground, flow, hurt);
    }
  }
  if (slowestMs > ground.lateMsMax) {
    hurt.add(`an honest tenant waited ${Math.round(slowestMs)} ms, more than ${Math.round(ground.lateMsMax)} ms`);
  }
  if (existsSync(escapedFile)) {
    hurt.add('it wrote a file');
  }
  const residentMiB = await checkProcesses(ground, hurt);
  return { name: rule.name, tries: rule.tries, fates, hurt: [...hurt], slowestMs, residentMiB };
}

async function fateOf({ sandbox }: Ground, flow: Flow, hurt: Set<string>): Promise<Fate> {
  try {
    const result = await runOnce(sandbox, flow, hostile);
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
async function checkQuarantine({ sandbox }: Ground, flow: Flow, hurt: Set<string>): Promise<void> {
  const before = sandbox.childPids.join();
  const again = await runOnce(sandbox, flow, hostile).catch((error: unknown) => error);
  if (!(again instanceof RuleFailureError) || sandbox.childPids.join() !== before) {
    hurt.add('its version is not in quarantine');
  }
}

/** Nothing but the sandbox's own children runs, and all of it is about as large as before. Returns its size. */
async function checkProcesses({ sandbox, residentBytesBefore }: Ground, hurt: Set<string>): Promise<number> {
  const untilMs = performance.now() + settleMsMax;
  const settled = (): boolean => {
    const running = descendants(process.pid);
    const resident = residentBytes([process.pid, ...running]);
    return running.length <= sandbox.childPids.length && resident <= residentBytesBefore + residentSlackBytes;
  };
  while (!settled() && performance.now() < untilMs) {
    await sleep(50);
  }
  const running = descendants(process.pid);
  if (running.length > sandbox.childPids.length) {
    hurt.add(`${running.length} processes are left, not ${sandbox.childPids.length}`);
  }
  const resident = residentBytes([process.pid, ...running]);
  if (resident > residentBytesBefore + residentSlackBytes) {
    hurt.add(`memory is not back where it was: ${mib(resident)} MiB, not ${mib(residentBytesBefore)}`);
  }
  return mib(resident);
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
