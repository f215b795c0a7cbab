import {
  closedAtMs,
  DayCloser,
  KnownSeries,
  ReprocessDriver,
  RuleDesk,
  type DayCloserPorts,
  type RuleDeskPorts,
  type StoredRaw,
} from '@meterflow/control/stage';
import type { ReadingStore } from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import {
  Activations,
  ClosedDaysRegistry,
  Reprocesses,
  RuleVersions,
  SeriesRegistry,
  ToldSince,
} from '@meterflow/registry';
import { TransientError } from '@meterflow/stage';
import type { CrashingProcess } from './crashing-process.ts';
import { lane } from './lane.ts';
import { estimateVersion } from './proof-estimate.ts';
import type { CrashPorts } from './world.ts';
import { timeZone, type PlannedSeries } from './workload.ts';

/** What is so everywhere in a run, whichever process asks. */
export interface Surroundings {
  /** Every series that the workload says anything of. */
  readonly series: readonly PlannedSeries[];
  /** Days that end here or before are over; undefined where no day is closed in this run. */
  readonly daysOverMs: () => number | undefined;
}

/** One control process, as a customer sees it. */
export interface Desk {
  readonly process: CrashingProcess;
  readonly rules: RuleDesk;
  readonly reprocesses: Reprocesses;
}

export interface ControlContext {
  readonly process: CrashingProcess;
  readonly ports: CrashPorts;
  readonly owner: string;
  readonly surroundings: Surroundings;
  /** How old activations and settings may be that others remember. */
  readonly leaseMs: number;
  readonly onDesk: (desk: Desk) => void;
}

const lookEveryMs = 1_000;

/** A desk for customers' rules, the closing of days, and reprocesses: until it is told to stop. */
export async function runControl({ process, ports, owner, ...context }: ControlContext): Promise<void> {
  const { clock, signal } = process;
  const { registry, publisher } = ports;
  const { surroundings, leaseMs } = context;
  const nowMs = (): number => clock.nowMs();
  const activations = new Activations({ registry, nowMs, activationLeaseMs: 0 });
  const reprocesses = new Reprocesses({ registry, nowMs });
  const [closedDays, toldSince] = [new ClosedDaysRegistry(registry), new ToldSince(registry)];
  const settings = new SeriesRegistry({ registry, nowMs, cacheMs: leaseMs });
  const tenants = { list: () => Promise.resolve(tenantsOf(surroundings)) };
  const raw = ports.readings('raw');
  const known = new KnownSeries({
    stored: storedRaw(raw, surroundings),
    ...{ raw, settings, closedDays },
  });
  const closer = new DayCloser({
    ...{ tenants, activations, series: settings, closedDays, toldSince, known, publisher, lane },
    nowMs: () => surroundings.daysOverMs() ?? 0,
    graceMs: 0,
    sleep: (ms, until) => clock.sleep(ms, until),
    onProblem: () => undefined,
  });
  const driver = new ReprocessDriver({
    ...{ reprocesses, activations, tenants, publisher, lane, owner, clock, stored: known },
    activationLeaseMs: leaseMs,
    waiting: () => Promise.resolve(undefined),
    onProblem: () => undefined,
  });
  const versions = new RuleVersions({ registry, nowMs });
  context.onDesk({ process, rules: new RuleDesk({ ...proofTools, versions, activations }), reprocesses });
  while (!signal.aborted) {
    await look(surroundings.daysOverMs() === undefined ? undefined : closer, driver, signal);
    await clock.sleep(lookEveryMs, signal);
  }
}

/** Once, as their own loops do: what fails on its way is tried again at the next look. */
async function look(closer: DayCloser | undefined, driver: ReprocessDriver, signal: AbortSignal): Promise<void> {
  try {
    await closer?.close();
    await driver.look(signal);
  } catch (error) {
    if (!(error instanceof TransientError) && !signal.aborted) {
      throw error;
    }
  }
}

/** Whether all that activations and the end of days set going is told, and noted as told. */
export async function controlRests({ registry }: CrashPorts, surroundings: Surroundings): Promise<boolean> {
  const nowMs = (): number => 0;
  const reprocesses = new Reprocesses({ registry, nowMs });
  const activations = new Activations({ registry, nowMs, activationLeaseMs: 0 });
  if ((await reprocesses.open()).length > 0) {
    return false;
  }
  for (const { name } of tenantsOf(surroundings)) {
    const newest = await activations.readNewest(name);
    if ((await reprocesses.mark(name)) < newest.number) {
      return false;
    }
    const flows = newest.flow.steps.some(({ rule }) => rule.series !== undefined);
    if (!(await daysAreTold({ tenant: name, flows }, registry, surroundings))) {
      return false;
    }
  }
  return true;
}

async function daysAreTold(
  { tenant, flows }: { readonly tenant: string; readonly flows: boolean },
  registry: CrashPorts['registry'],
  { daysOverMs, series }: Surroundings,
): Promise<boolean> {
  const overMs = daysOverMs();
  const own = series.filter((each) => each.tenant === tenant);
  const settings = await new SeriesRegistry({ registry, nowMs: () => 0, cacheMs: -1 }).snapshotOf(tenant, own);
  const zones = new Set(own.map(({ meter, channel }) => settings.of(meter, channel).timeZone));
  for (const zone of overMs === undefined ? [] : zones) {
    const told = await new ClosedDaysRegistry(registry).of(tenant, zone);
    const closedMs = closedAtMs(zone, overMs as number, 0);
    // A story's flows are of series that stay where they are.
    const isDueTold = !flows || zone !== timeZone || (told?.publishedThroughMs ?? -1) >= closedMs;
    if (!isDueTold || (told?.toldThroughMs ?? -1) < closedMs) {
      return false;
    }
  }
  return true;
}

/** As {@link DayCloser} asks for them. */
function tenantsOf({ series }: Surroundings): Awaited<ReturnType<DayCloserPorts['tenants']['list']>> {
  const quotas = { readingsPerDay: 1, bytesPerRequest: 1, requestsPerMinute: 1 };
  return [...new Set(series.map(({ tenant }) => tenant))].map((name) => ({
    ...{ name, createdAtMs: 0, quotas, queryableWithinMs: 0, unknownSeries: 'create' },
  }));
}

/** What is stored of the workload's series, by reads of the store. */
function storedRaw(raw: ReadingStore, { series }: Surroundings): StoredRaw {
  return {
    series: (tenant) =>
      series
        .filter((each) => each.tenant === tenant)
        .map(({ meter, channel }) => ({ meter, channel }))
        .sort((a, b) => (`${a.meter} ${a.channel}` < `${b.meter} ${b.channel}` ? -1 : 1)),
    spans: async function* (tenant, each) {
      yield* (await storedDays(raw, tenant, each)).map((day) => ({ fromDay: day, toDay: day + 1 }));
    },
  };
}

async function storedDays(raw: ReadingStore, tenant: string, series: SeriesName): Promise<readonly number[]> {
  const span = { fromMs: 0, toMs: storedEndMs };
  const segments = await raw.read({ tenant, ...series, layer: 'raw', ...span });
  return segments.filter(({ columns }) => columns.values.length > 0).map(({ day }) => day);
}

/** Later than whatever a story tells of. */
const storedEndMs = Date.UTC(2100, 0, 1);

/** Compiling and trying rules is not the matter here: a version is its text. */
const proofTools: Pick<RuleDeskPorts, 'compiler' | 'sandbox'> = {
  compiler: {
    compile: ({ files }) => {
      const rules = [...files].map(([file, source]) => {
        const version = estimateVersion(source);
        const { name, series } = version;
        const declaration = { name, parameters: {}, channels: ['*'], ...(series === undefined ? {} : { series }) };
        return { file, version, declaration, files };
      });
      return Promise.resolve({ rules, tests: [] });
    },
  },
  sandbox: {
    run: () => Promise.reject(new Error('no rule is tried in the proof')),
    runSeries: () => Promise.reject(new Error('no rule is tried in the proof')),
    close: () => Promise.resolve(),
  },
};
