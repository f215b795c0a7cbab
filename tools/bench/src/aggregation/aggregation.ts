import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { note, print } from '@meterflow/command-line';
import { formatSum, sumInteger, type AggregateBatch } from '@meterflow/aggregates';
import { openEmbeddedPlatform, type EmbeddedPlatform } from '@meterflow/embedded';
import { groupMeter, GroupRegistry } from '@meterflow/registry';
import { silentTelemetry } from '@meterflow/stage';
import { profiled, startDevServer, type DevServer } from '../dev-server.ts';
import { machine } from '../machine.ts';
import { processTree, usedSince } from '../process-usage.ts';
import { swissReadings } from '../repository.ts';
import { completed, importInto, push } from '../requests.ts';
import { writeRepeatedInput, type RepeatedInput } from '../spine/repeated-input.ts';
import { area, gridOf } from './grid.ts';
import { yearOfOneMeter, type Backfill } from './year-of-one-meter.ts';

export interface AggregationOptions {
  /** The Swiss households so many times over … */
  readonly copies: number;
  /** … of each at most its first days: many meters need not be many readings. */
  readonly days?: number;
  /** Late readings, one after the other. */
  readonly probes: number;
  readonly json: boolean;
  readonly file?: string;
  /** A folder for CPU profiles of all processes. */
  readonly profiles?: string;
}

interface Reading {
  readonly meter: string;
  readonly channel: string;
  readonly startMs: number;
}

interface Input extends RepeatedInput {
  readonly file: string;
  /** A few days of other meters, imported first: a server that has just started compiles itself. */
  readonly warmUp: string;
  readonly meters: readonly string[];
  readonly first: Reading;
}

const tenant = 'default';
const lookEveryMs = 2;
const restLooks = 5;
const warmUpDays = 14;

/**
 * Readings into hours, days and months of all meters and of a tree of groups over them: from an import's request until
 * nothing waits any more, with and without the groups, on a server that has imported some days of other meters before.
 * Then how long one late reading takes to the corrected month of the group above all, and how long a year of one meter
 * takes. True when that month is the sum of the meters' own.
 */
export async function aggregation(options: AggregationOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-aggregation-'));
  try {
    note('writing the input …');
    const input = await writtenInput(join(folder, 'readings.csv'), options);
    note(`${input.meters.length} meters, without groups …`);
    const without = await measured(input, join(folder, 'without'), { ...options, isGrouped: false, probes: 0 });
    note('with a tree of three levels …');
    const grouped = await measured(input, join(folder, 'grouped'), { ...options, isGrouped: true });
    const told = {
      readings: input.readings,
      meters: input.meters.length,
      withoutGroups: without.rates,
      grouped: grouped.rates,
      lateReadingMs: quantiles(grouped.lateMs),
      backfill: grouped.backfill,
      isRight: grouped.isRight,
      machine,
    };
    print(options.json ? JSON.stringify({ aggregation: told }) : report(told));
    return grouped.isRight;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function writtenInput(
  file: string,
  { copies, days = Infinity, file: source = swissReadings }: AggregationOptions,
): Promise<Input> {
  const written = await writeRepeatedInput(source, file, { copies, days });
  const warmUp = `${file}.warm-up`;
  await writeRepeatedInput(source, warmUp, { copies: 1, firstCopy: copies, days: Math.min(days, warmUpDays) });
  const meters = new Set<string>();
  let first: Reading | undefined;
  let columns: string[] | undefined;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const cells = line.split(',', 4);
    if (columns === undefined) {
      columns = cells;
      continue;
    }
    meters.add(cells[0] as string);
    first ??= { meter: cells[0] as string, channel: cells[1] as string, startMs: Date.parse(cells[2] as string) };
  }
  return { ...written, file, warmUp, meters: [...meters], first: first as Reading };
}

interface Measured {
  readonly rates: { readonly readingsPerSecond: number; readonly cpuSecondsPerMillion: number };
  readonly lateMs: readonly number[];
  readonly backfill: Backfill;
  readonly isRight: boolean;
}

async function measured(
  input: Input,
  dataDir: string,
  { isGrouped, probes, profiles }: Pick<AggregationOptions, 'probes' | 'profiles'> & { readonly isGrouped: boolean },
): Promise<Measured> {
  const platform = openEmbeddedPlatform({ root: dataDir, owner: 'bench', telemetry: silentTelemetry });
  const groups = new GroupRegistry(platform.registry);
  for (const group of isGrouped ? gridOf(input.meters) : []) {
    await groups.put(tenant, group);
  }
  const server = await startDevServer(dataDir, profiled(profiles));
  try {
    await completed(server, await importInto(server, input.warmUp));
    await nothingWaits(platform);
    const before = processTree(server.pid);
    const startedMs = performance.now();
    await completed(server, await importInto(server, input.file));
    await nothingWaits(platform);
    const seconds = (performance.now() - startedMs) / 1000;
    const cpuSeconds = usedSince(before, processTree(server.pid)).reduce((sum, usage) => sum + usage.cpuSeconds, 0);
    const isRight = !isGrouped || (await isSumOfMeters(platform, input));
    return {
      rates: {
        readingsPerSecond: Math.round(input.readings / seconds),
        cpuSecondsPerMillion: Math.round((cpuSeconds / (input.readings / 1e6)) * 1000) / 1000,
      },
      lateMs: await lateReadings({ server, platform }, input.first, probes),
      backfill: await yearOfOneMeter({ server, platform }, `${dataDir}-year.csv`),
      isRight,
    };
  } finally {
    await server.stop();
    await platform.close();
  }
}

/** Some looks in a row: what one stage has acked may not have been published by the next yet. */
async function nothingWaits(platform: EmbeddedPlatform): Promise<void> {
  for (let rests = 0; rests < restLooks;) {
    await wait(lookEveryMs * 5);
    rests = (await platform.backlogs()).some(({ messages }) => messages > 0) ? 0 : rests + 1;
  }
}

/** Each corrects the same old quarter hour with another value. */
async function lateReadings(
  { server, platform }: { readonly server: DevServer; readonly platform: EmbeddedPlatform },
  { meter, channel, startMs }: Reading,
  probes: number,
): Promise<number[]> {
  const latenciesMs: number[] = [];
  const month = { channel, startMs };
  for (let probe = 0; probe < probes; probe++) {
    const before = totalOf(await monthOf(platform, groupMeter(area), month));
    const start = new Date(startMs).toISOString();
    const startedMs = performance.now();
    await push(server, `meter_id,channel,start,value,unit\n${meter},${channel},${start},${100 + probe},kWh\n`);
    while (totalOf(await monthOf(platform, groupMeter(area), month)) === before) {
      await wait(lookEveryMs);
    }
    latenciesMs.push(performance.now() - startedMs);
  }
  return latenciesMs;
}

async function isSumOfMeters(platform: EmbeddedPlatform, { meters, first }: Input): Promise<boolean> {
  let integer = 0n;
  for (const meter of meters) {
    const { rows, decimals } = await monthOf(platform, meter, first);
    for (let row = 0; row < rows.count.length; row++) {
      integer += sumInteger(rows.sumHigh[row] as number, rows.sumLow[row] as number) * 10n ** BigInt(9 - decimals);
    }
  }
  const high = Number(integer / 10n ** 15n);
  return totalOf(await monthOf(platform, groupMeter(area), first)) === formatSum(high, Number(integer % 10n ** 15n), 9);
}

function monthOf(
  platform: EmbeddedPlatform,
  meter: string,
  { channel, startMs }: Pick<Reading, 'channel' | 'startMs'>,
): Promise<AggregateBatch> {
  const at = new Date(startMs);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  const span = { fromMs: Date.UTC(year, month), toMs: Date.UTC(year, month + 1) };
  return platform.aggregates.read({ tenant, meter, channel, level: 'month', ...span });
}

function totalOf({ rows, decimals }: AggregateBatch): string {
  return rows.count.length === 0 ? '' : formatSum(rows.sumHigh[0] as number, rows.sumLow[0] as number, decimals);
}

function quantiles(valuesMs: readonly number[]): { probes: number; p50: number; p99: number; max: number } {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { probes: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

interface Told {
  readonly readings: number;
  readonly meters: number;
  readonly withoutGroups: Measured['rates'];
  readonly grouped: Measured['rates'];
  readonly lateReadingMs: ReturnType<typeof quantiles>;
  readonly backfill: Backfill;
  readonly isRight: boolean;
}

function report({ readings, meters, withoutGroups, grouped, lateReadingMs, backfill, isRight }: Told): string {
  const row = (name: string, { readingsPerSecond, cpuSecondsPerMillion }: Measured['rates']): string =>
    `${name.padEnd(28)}${String(readingsPerSecond).padStart(12)}${String(cpuSecondsPerMillion).padStart(20)}`;
  const { probes, p50, p99, max } = lateReadingMs;
  return [
    `${readings} readings of ${meters} meters; ${JSON.stringify(machine)}`,
    '',
    `${''.padEnd(28)}${'readings/s'.padStart(12)}${'CPU-s per million'.padStart(20)}`,
    row('hours, days, months', withoutGroups),
    row('and a tree of three levels', grouped),
    '',
    `a late reading to the corrected month of the area: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms (${probes} probes)`,
    `a year of one meter, ${backfill.readings} readings: ${backfill.seconds} s until aggregated; ` +
      `${backfill.daysComputed} days and ${backfill.monthsComputed} months computed for ${backfill.days} and ${backfill.months}`,
    isRight
      ? "the area's month is the sum of its meters' months"
      : "WRONG: the area's month is not the sum of its meters'",
  ].join('\n');
}

function wait(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}
