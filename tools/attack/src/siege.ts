import { setTimeout as sleep } from 'node:timers/promises';
import { IsolatedSandbox, sandboxLimits, type SandboxLimits } from '@meterflow/sandbox';
import { attack, type AttackReport } from './attack.ts';
import { HonestTenants } from './honest-tenants.ts';
import type { HostileRule } from './hostile-rule.ts';
import { descendants, residentBytes } from './process-tree.ts';

export interface SiegeOptions {
  readonly rules: readonly HostileRule[];
  readonly times: number;
  /** So many tries of a rule at once; one where absent. */
  readonly together?: number;
  readonly honestTenants: number;
  readonly limits?: Partial<SandboxLimits>;
  readonly onReport?: (report: AttackReport) => void;
  /** Told after each round of tries. */
  readonly onProgress?: (progress: SiegeProgress) => void;
}

export interface SiegeProgress {
  readonly rule: string;
  readonly tries: number;
  /** Rules before this one. */
  readonly rulesDone: number;
}

export interface SiegeReport {
  readonly attacks: readonly AttackReport[];
  /** A calm round of the honest tenants, and one in which their child was killed from outside. */
  readonly calmMs: number;
  readonly respawnMs: number;
  /** The slowest of those measured before each attack. */
  readonly respawnMsMax: number;
  readonly childrenLeft: number;
}

/** Wall time is told on a machine that others use too: what is allowed is so many times what was measured. */
const busyFactor = 4;

/** Makes all attacks, one rule after the other, on one sandbox that honest tenants use. */
export async function siege(options: SiegeOptions): Promise<SiegeReport> {
  const { rules, times, together = 1, onReport, onProgress } = options;
  const limits = { ...sandboxLimits, ...options.limits };
  const sandbox = new IsolatedSandbox({ limits });
  const attacks: AttackReport[] = [];
  try {
    const honest = new HonestTenants(sandbox, options.honestTenants);
    await honest.learnUndisturbed();
    const calm = await honest.round(() => undefined);
    const first = await respawnMs(sandbox, honest);
    if (calm.hurt.length > 0) {
      throw new Error(`honest tenants are hurt before any attack: ${calm.hurt.join('; ')}`);
    }
    const residentBytesBefore = residentBytes([process.pid, ...descendants(process.pid)]);
    let slowest = first;
    for (const rule of rules) {
      // Measured anew for each: the machine may be busier by now.
      const respawn = await respawnMs(sandbox, honest);
      slowest = Math.max(slowest, respawn);
      // A killer costs its time twice: where it stood among others, and once more alone, beside them on the same cores.
      const lateMsMax = busyFactor * Math.min(together, times) * (2 * limits.batchCpuMsMax + respawn);
      const onRound = (tries: number): void => {
        onProgress?.({ rule: rule.name, tries, rulesDone: attacks.length });
      };
      const ground = { sandbox, honest, lateMsMax, residentBytesBefore };
      const report = await attack(rule, { times, together, onRound }, ground);
      attacks.push(report);
      onReport?.(report);
    }
    await sandbox.close();
    const childrenLeft = descendants(process.pid).length;
    return { attacks, calmMs: calm.slowestMs, respawnMs: first, respawnMsMax: slowest, childrenLeft };
  } finally {
    await sandbox.close();
  }
}

/** How long the honest tenants wait in a round in which their child is killed from outside. */
async function respawnMs(sandbox: IsolatedSandbox, honest: HonestTenants): Promise<number> {
  const { hurt, slowestMs } = await honest.round(() => {
    sandbox.childPids.forEach((pid) => process.kill(pid, 'SIGKILL'));
  });
  if (hurt.length > 0) {
    throw new Error(`honest tenants are hurt without any attack: ${hurt.join('; ')}`);
  }
  // The suspect's own child from that round goes away first.
  await sleep(200);
  return slowestMs;
}

/** Whether nobody and nothing was hurt. */
export function held({ attacks, childrenLeft }: SiegeReport): boolean {
  return childrenLeft === 0 && attacks.every(({ hurt }) => hurt.length === 0);
}
