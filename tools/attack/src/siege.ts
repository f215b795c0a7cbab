import { setTimeout as sleep } from 'node:timers/promises';
import { IsolatedSandbox, sandboxLimits, type SandboxLimits } from '@meterflow/sandbox';
import { attack, type AttackReport, type Ground } from './attack.ts';
import { HonestTenants } from './honest-tenants.ts';
import type { HostileRule } from './hostile-rule.ts';
import { descendants, residentBytes } from './process-tree.ts';

export interface SiegeOptions {
  readonly rules: readonly HostileRule[];
  readonly times: number;
  readonly honestTenants: number;
  readonly limits?: Partial<SandboxLimits>;
  readonly onReport?: (report: AttackReport) => void;
}

export interface SiegeReport {
  readonly attacks: readonly AttackReport[];
  /** A calm round of the honest tenants, and one in which their child was killed from outside. */
  readonly calmMs: number;
  readonly respawnMs: number;
  readonly lateMsMax: number;
  readonly childrenLeft: number;
}

/** Wall time is told on a machine that others use too: what is allowed is so many times what was measured. */
const busyFactor = 4;

/** Makes all attacks, one after the other, on one sandbox that honest tenants use. */
export async function siege(options: SiegeOptions): Promise<SiegeReport> {
  const { rules, times, onReport } = options;
  const limits = { ...sandboxLimits, ...options.limits };
  const sandbox = new IsolatedSandbox({ limits });
  const attacks: AttackReport[] = [];
  try {
    const honest = new HonestTenants(sandbox, options.honestTenants);
    await honest.learnUndisturbed();
    const calm = await honest.round(() => undefined);
    const respawn = await honest.round(() => {
      sandbox.childPids.forEach((pid) => process.kill(pid, 'SIGKILL'));
    });
    const wrong = [...calm.hurt, ...respawn.hurt];
    if (wrong.length > 0) {
      throw new Error(`honest tenants are hurt before any attack: ${wrong.join('; ')}`);
    }
    // The suspect's own child from that round goes away first.
    await sleep(200);
    // A killer costs its time twice: where it stood among others, and once more alone, beside them on the same cores.
    const lateMsMax = busyFactor * (2 * limits.batchCpuMsMax + respawn.slowestMs);
    const residentBytesBefore = residentBytes([process.pid, ...descendants(process.pid)]);
    const ground: Ground = { sandbox, honest, lateMsMax, residentBytesBefore };
    for (const rule of rules) {
      const report = await attack(rule, times, ground);
      attacks.push(report);
      onReport?.(report);
    }
    await sandbox.close();
    const childrenLeft = descendants(process.pid).length;
    return { attacks, calmMs: calm.slowestMs, respawnMs: respawn.slowestMs, lateMsMax, childrenLeft };
  } finally {
    await sandbox.close();
  }
}

/** Whether nobody and nothing was hurt. */
export function held({ attacks, childrenLeft }: SiegeReport): boolean {
  return childrenLeft === 0 && attacks.every(({ hurt }) => hurt.length === 0);
}
