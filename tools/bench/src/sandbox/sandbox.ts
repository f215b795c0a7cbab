import { note, print } from '@meterflow/command-line';
import { flowOf } from '@meterflow/rules';
import { IsolatedSandbox } from '@meterflow/sandbox';
import { machine } from '../machine.ts';
import { simpleFlow, simpleRule, tenRanges } from './bench-flows.ts';
import { hostCosts, hostValues } from './host-code.ts';
import { slotsPerDay, stockChecks, TenantDays } from './day-runs.ts';
import { measureBatches, measureRuns, type RunCost } from './measure-runs.ts';
import { batchOf, tenantBatches } from './tenant-batches.ts';

export interface SandboxBenchOptions {
  /** Readings that go through for each line of the table. */
  readonly readings: number;
  /** How many of them share the readings, each by itself. */
  readonly tenants?: readonly number[];
  readonly json: boolean;
}

/** What is aimed at, a core: readings a CPU second of all processes together, and the first call of a version. */
const targets = { simple: 5_000_000, stockChecks: 2_000_000, firstCallMs: 300 } as const;
const batchSizes = [96, 1_000, 4_000] as const;
const tenantCounts = [1, 10, 100, 400] as const;
/** The line that the targets are about. */
const targetTenants = 100;
const targetReadings = 4_000;
const freshVersions = 20;
/** Days that follow each other and are run together: as many as batches of these sizes hold. */
const daysTogether = [1, 10, 41] as const;
/** Series of a tenant with one day due each, as many as the stage runs at once. */
const seriesTogether = 16;
/** Days of each tenant that are run in turn, and how many fewer readings than of batches. */
const daysEach = 41;
const daysShare = 5;
/** Until an isolate's code of ten checks is all optimised; less for more tenants than the line that the target is about. */
const warmingDays = 3_000;

interface Line extends RunCost {
  readonly flow: string;
  readonly tenants: number;
  readonly batch: number;
  /** Readings a second of CPU, parent and children together. */
  readonly perCpuSecond: number;
}

/** Measures readings through the process boundary. Resolves with whether results were right; targets are told, not judged. */
export async function sandboxBench({
  readings,
  tenants: counts = tenantCounts,
  json,
}: SandboxBenchOptions): Promise<boolean> {
  const right = await checkResults();
  const firstCallMs = await firstCalls();
  const values = Array.from(batchOf('host', targetReadings).columns.values, (integer) => integer / 1_000);
  const host = hostCosts(values);
  const lines: Line[] = [];
  const show = (line: Line): void => {
    lines.push(line);
    if (!json) {
      print(row(line));
    }
  };
  if (!json) {
    print(head);
  }
  for (const tenants of counts) {
    await batches(tenants, readings, show);
  }
  for (const tenants of counts) {
    await days(tenants, readings, show);
  }
  const told = { machine, right, targets, firstCallMs, host, lines };
  print(json ? JSON.stringify(told) : summary(told));
  return right;
}

/** Batches of all sizes through rules with `onReading`. */
async function batches(tenants: number, readings: number, show: (line: Line) => void): Promise<void> {
  const sandbox = new IsolatedSandbox({
    onIncident: ({ message }) => {
      note(message);
    },
  });
  for (const batch of batchSizes) {
    const flows = tenants === targetTenants && batch === targetReadings ? [simpleFlow, tenRanges] : [simpleFlow];
    for (const flow of flows) {
      const share = batch < 1_000 ? readings / 4 : readings;
      const cost = await measureBatches(sandbox, flow, { batches: tenantBatches(tenants, batch), readings: share });
      show(lineOf(flow.name, { tenants, batch }, cost));
    }
  }
  await sandbox.close();
}

/** Local days of quarter-hours through the ten stock checks, with all the days around them that these look at. */
async function days(tenants: number, readings: number, show: (line: Line) => void): Promise<void> {
  const sandbox = new IsolatedSandbox();
  const tenantDays = new TenantDays(tenants, daysEach);
  const warmingRuns = Math.ceil((warmingDays * Math.min(tenants, targetTenants)) / daysEach);
  let isWarm = false;
  for (const together of daysTogether.toReversed()) {
    const readingsEach = slotsPerDay * together;
    const cost = await measureRuns(sandbox, {
      readingsEach,
      warmingRuns: isWarm ? tenants : warmingRuns,
      runs: Math.max(tenants, Math.ceil(readings / daysShare / readingsEach)),
      run: (index) => sandbox.runSeries(stockChecks, tenantDays.run(index, together)),
    });
    isWarm = true;
    show(lineOf(stockChecks.name, { tenants, batch: readingsEach }, cost));
  }
  await seriesAtOnce(sandbox, { tenants, readings }, show);
  await sandbox.close();
}

/** One day each of several series of a tenant, which go through its isolate one behind the other. */
async function seriesAtOnce(
  sandbox: IsolatedSandbox,
  { tenants, readings }: { readonly tenants: number; readonly readings: number },
  show: (line: Line) => void,
): Promise<void> {
  const tenantDays = new TenantDays(tenants, 1, seriesTogether);
  const cost = await measureRuns(sandbox, {
    readingsEach: slotsPerDay * seriesTogether,
    warmingRuns: tenants,
    runs: Math.max(tenants, Math.ceil(readings / daysShare / slotsPerDay / seriesTogether)),
    run: (index) => Promise.all(tenantDays.dayOfEach(index).map((run) => sandbox.runSeries(stockChecks, run))),
  });
  show(lineOf(`${stockChecks.name}, ${seriesTogether} series`, { tenants, batch: slotsPerDay }, cost));
}

function lineOf(flow: string, of: { readonly tenants: number; readonly batch: number }, cost: RunCost): Line {
  const cpuSeconds = cost.parentCpuSeconds + cost.childCpuSeconds;
  return { flow, ...of, ...cost, perCpuSecond: cost.readings / cpuSeconds };
}

/** The sandbox gives what the rule gives as plain code. */
async function checkResults(): Promise<boolean> {
  const sandbox = new IsolatedSandbox();
  const batch = batchOf('check', targetReadings);
  const values = Array.from(batch.columns.values, (integer) => integer / 1_000);
  const { values: changed, changes } = await sandbox.run(simpleFlow, batch);
  await sandbox.close();
  return hostValues(values).every((value, index) => {
    const got = (changes[index] as number) === 0 ? values[index] : changed[index];
    return got === value;
  });
}

/** Wall time of the first call of versions that no child has seen, in milliseconds: the median and the slowest. */
async function firstCalls(): Promise<{ readonly median: number; readonly slowest: number }> {
  const sandbox = new IsolatedSandbox();
  const batch = batchOf('fresh', 96);
  await sandbox.run(simpleFlow, batch);
  const times: number[] = [];
  for (let version = 1; version <= freshVersions; version++) {
    const startMs = performance.now();
    await sandbox.run(flowOf('fresh', [{ rule: simpleRule(version), parameters: {} }]), batch);
    times.push(performance.now() - startMs);
  }
  await sandbox.close();
  times.sort((a, b) => a - b);
  return { median: times[freshVersions / 2] as number, slowest: times.at(-1) as number };
}

const head =
  'flow                     tenants  readings a batch   M readings/s   M a CPU second   parent µs   child µs   children MiB';

function row({ flow, tenants, batch, perCpuSecond, ...cost }: Line): string {
  const micros = (seconds: number): string => ((seconds * 1e6) / cost.readings).toFixed(3);
  return [
    flow.padEnd(24),
    `${tenants}`.padStart(8),
    `${batch}`.padStart(18),
    (cost.readings / cost.wallSeconds / 1e6).toFixed(2).padStart(15),
    (perCpuSecond / 1e6).toFixed(2).padStart(17),
    micros(cost.parentCpuSeconds).padStart(12),
    micros(cost.childCpuSeconds).padStart(11),
    `${Math.round(cost.childMemoryBytesPeak / 2 ** 20)}`.padStart(15),
  ].join('');
}

interface Told {
  readonly right: boolean;
  readonly firstCallMs: { readonly median: number; readonly slowest: number };
  readonly host: { readonly plainMicros: number; readonly jsonMicros: number };
  readonly lines: readonly Line[];
}

function summary({ right, firstCallMs, host, lines }: Told): string {
  const at = (flow: string, batch = targetReadings): number =>
    lines.find((line) => line.flow === flow && line.tenants === targetTenants && line.batch === batch)?.perCpuSecond ??
    0;
  const against = (reached: number, target: number): string =>
    `${(reached / 1e6).toFixed(2)} M a CPU second, target ${target / 1e6} M: ${reached >= target ? 'met' : 'missed'}`;
  return [
    '',
    `simple rule, ${targetTenants} tenants: ${against(at(simpleFlow.name), targets.simple)}`,
    `ten ranges a reading, ${targetTenants} tenants: ${against(at(tenRanges.name), targets.stockChecks)}`,
    `ten stock checks of ${daysTogether[2]} days, ${targetTenants} tenants: ${against(at(stockChecks.name, slotsPerDay * daysTogether[2]), targets.stockChecks)}`,
    `first call of a fresh version: ${firstCallMs.median.toFixed(1)} ms in the middle, ${firstCallMs.slowest.toFixed(1)} ms at most, target ${targets.firstCallMs} ms`,
    `the simple rule as plain host code: ${host.plainMicros.toFixed(4)} µs a reading; with one JSON a reading: ${host.jsonMicros.toFixed(2)} µs`,
    `results ${right ? 'equal those of plain host code' : 'DIFFER from those of plain host code'}`,
    `${machine.cores} cores, ${machine.model ?? 'unknown'}, ${machine.memoryGiB} GiB, Node ${machine.node}`,
  ].join('\n');
}
