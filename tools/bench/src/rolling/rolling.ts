import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { note, print } from '@meterflow/command-line';
import type { Receipt } from '@meterflow/receipts';
import { machine } from '../machine.ts';
import { Fleet, fleetServices, type FleetService } from './fleet.ts';
import { endOf, type LoadEnd } from './load-end.ts';
import { SteadyLoad } from './steady-load.ts';

export interface RollingOptions {
  readonly pushesPerSecond: number;
  readonly metersPerPush: number;
  /** How long nothing happens, to compare with. */
  readonly calmSeconds: number;
  readonly rounds: number;
  readonly json: boolean;
}

/** Just started, a process compiles itself. */
const warmUpMs = 8_000;
const betweenMs = 2_000;

interface Rolled {
  readonly end: LoadEnd;
  readonly drains: readonly { readonly service: FleetService; readonly ms: number }[];
  readonly latency: { readonly calm: Latency; readonly rolling: Latency };
  readonly sentAgain: number;
}

interface Latency {
  readonly sources: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Replaces every service, one process at a time, under steady load over Google's emulators and Redis: a new process, then
 * SIGTERM to the old one. True when nothing was lost and no settled message handled twice.
 */
export async function rolling(options: RollingOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-rolling-'));
  const fleet = await Fleet.open(folder);
  try {
    note('starting the services …');
    await Promise.all(fleetServices.map((service) => fleet.start(service)));
    const rolled = await rollUnderLoad(fleet, options);
    print(options.json ? JSON.stringify({ ...rolled, machine }) : report(rolled, options));
    return rolled.end.problems.length === 0;
  } finally {
    await fleet.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function rollUnderLoad(fleet: Fleet, options: RollingOptions): Promise<Rolled> {
  const { calmSeconds, rounds } = options;
  const load = new SteadyLoad(fleet.push, options);
  await sleep(warmUpMs);
  note('measuring without …');
  const calmFromMs = Date.now();
  await sleep(calmSeconds * 1_000);
  const rollFromMs = Date.now();
  const drains: { service: FleetService; ms: number }[] = [];
  for (const service of Array.from({ length: rounds }, () => fleetServices).flat()) {
    note(`rolling ${service} …`);
    drains.push({ service, ms: Math.round(await fleet.roll(service)) });
    await sleep(betweenMs);
  }
  const rollToMs = Date.now();
  const pushes = await load.stop();
  const end = await endOf(fleet, pushes);
  const within = (fromMs: number, toMs: number): Latency =>
    latencyOf(end.receipts.filter(({ acceptedAt }) => isWithin(Date.parse(acceptedAt), fromMs, toMs)));
  const latency = { calm: within(calmFromMs, rollFromMs), rolling: within(rollFromMs, rollToMs) };
  return { end: { ...end, receipts: [] }, drains, latency, sentAgain: load.sentAgain };
}

function isWithin(atMs: number, fromMs: number, toMs: number): boolean {
  return atMs >= fromMs && atMs < toMs;
}

/** From its acceptance until the last of it was stored and aggregated. */
function latencyOf(receipts: readonly Receipt[]): Latency {
  const sorted = receipts.map(({ seconds }) => seconds * 1_000).toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  return { sources: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function report({ end, drains, latency, sentAgain }: Rolled, options: RollingOptions): string {
  const { calm, rolling: under } = latency;
  const pace = `${options.pushesPerSecond} pushes/s of ${options.metersPerPush} readings`;
  const services = fleetServices.map((service) => {
    const ms = drains.filter((each) => each.service === service).map((each) => `${each.ms} ms`);
    return [`drain of ${service}`, ms.join(', ')] as const;
  });
  const rows: readonly (readonly [string, string | number])[] = [
    ['pushes, readings', `${end.sources}, ${end.readings}`],
    ['readings lost', end.lost],
    ['settled messages handled twice', end.handledTwice],
    ['dead letters', end.deadLetters],
    ['redeliveries', end.redeliveries],
    ['duplicates absorbed', end.duplicates],
    ['pushes sent again', sentAgain],
    ['until aggregated, without: p50, p99', `${calm.p50Ms}, ${calm.p99Ms} ms (${calm.sources} pushes)`],
    ['until aggregated, rolling: p50, p99', `${under.p50Ms}, ${under.p99Ms} ms (${under.sources} pushes)`],
    ...services,
    ['result', end.problems.length === 0 ? 'right' : `WRONG: ${end.problems.join('; ')}`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  return [JSON.stringify(machine), `all services rolled one at a time under ${pace}`, ...lines].join('\n');
}
