import { randomBytes } from 'node:crypto';
import type { Lifecycle } from '@meterflow/graceful-shutdown';
import type { OpenPlatform } from '@meterflow/platform';
import {
  activationLeaseMsDefault,
  AuditTrail,
  Reprocesses,
  RuleVersions,
  SeriesRegistry,
  type Activations,
  type Keys,
  type Tenants,
} from '@meterflow/registry';
import { RuleCompiler } from '@meterflow/rule-compiler';
import { IsolatedSandbox, readDeclaration } from '@meterflow/sandbox';
import { systemClock, type Logger } from '@meterflow/stage';
import { Audited } from './audited.ts';
import { BacktestDesk } from './backtest/backtest-desk.ts';
import { FlowTrace } from './explain/flow-trace.ts';
import type { Backlog, ControlPorts } from './ports.ts';
import { noticesWaiting } from './reprocess/notices-waiting.ts';
import { ReprocessDriver } from './reprocess/reprocess-driver.ts';
import type { StoredRaw } from './reprocess/told-days.ts';
import { RuleDesk } from './rule-desk.ts';

export interface RuleLifePorts {
  readonly platform: OpenPlatform['platform'];
  /** Undefined where the platform does not tell. */
  readonly backlogs: () => Promise<readonly Backlog[] | undefined>;
  /** Of which backtests take their sample. */
  readonly stored: StoredRaw;
  /** What a reprocess tells of. */
  readonly known: StoredRaw;
  readonly activations: Activations;
  readonly tenants: Tenants;
  readonly keys: Keys;
  /** Names this run of the process. */
  readonly owner: string;
  readonly lifecycle: Pick<Lifecycle, 'register' | 'signal'>;
  readonly logger: Logger;
}

type RuleLife = Pick<ControlPorts, 'rules' | 'backtests' | 'trace' | 'reprocesses' | 'audited' | 'newId'>;

const lane = 'bulk';

/** All that a rule goes through, from its upload on; drives reprocesses from now on. */
export function ruleLife({ platform, stored, known, activations, tenants, keys, ...process }: RuleLifePorts): RuleLife {
  const { lifecycle, logger, owner, backlogs } = process;
  const { registry, publisher } = platform;
  const nowMs = (): number => systemClock.nowMs();
  const newId = (): string => randomBytes(6).toString('hex');
  // Its process starts with the first test that a rule brings.
  const sandbox = new IsolatedSandbox();
  lifecycle.register('sandbox', () => sandbox.close());
  const rules = new RuleDesk({
    compiler: new RuleCompiler({ declare: readDeclaration }),
    versions: new RuleVersions({ registry, nowMs }),
    ...{ sandbox, activations },
  });
  const trying = {
    ...{ nowMs, readings: platform.readings('raw') },
    settings: new SeriesRegistry({ registry, nowMs, cacheMs: 0 }),
    openSandbox: () => new IsolatedSandbox(),
  };
  const backtests = new BacktestDesk({ ...trying, rules, storedSeries: (tenant) => stored.series(tenant) });
  const trace = new FlowTrace(trying);
  const reprocesses = new Reprocesses({ registry, nowMs });
  const driver = new ReprocessDriver({
    ...{ reprocesses, activations, tenants, publisher, owner, lane, stored: known, clock: systemClock },
    activationLeaseMs: activationLeaseMsDefault,
    waiting: async () => noticesWaiting(await backlogs(), lane),
    onProblem: (error) => {
      logger.warn('a reprocess waits: it goes on by itself', { error });
    },
  });
  void driver.drive(lifecycle.signal);
  const trail = new AuditTrail({ registry, nowMs, newId });
  void closeInterrupted(trail, lifecycle.signal, logger);
  const audited = new Audited({ trail, keys });
  return { rules, backtests, trace, reprocesses, audited, newId };
}

const closePollMs = 60_000;

/** Steps that a process began and never ended have their lines in the audit trail all the same. Never rejects. */
async function closeInterrupted(trail: AuditTrail, signal: AbortSignal, logger: Logger): Promise<void> {
  while (!signal.aborted) {
    await trail.closeInterrupted().catch((error: unknown) => {
      logger.warn('the audit trail waits: it goes on by itself', { error });
    });
    await systemClock.sleep(closePollMs, signal);
  }
}
