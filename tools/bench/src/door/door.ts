import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { note, print } from '@meterflow/command-line';
import { machine } from '../machine.ts';
import { processTree, usedSince } from '../process-usage.ts';
import { Fleet } from '../rolling/fleet.ts';
import { csvOf } from '../rolling/steady-load.ts';

export interface DoorOptions {
  readonly metersPerPush: number;
  /** How long each number of requests is held. */
  readonly seconds: number;
  readonly json: boolean;
}

/** What one process of ingest made of so many requests at once. */
export interface DoorStep {
  readonly inFlight: number;
  readonly pushesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of ingest alone; the emulator that takes its messages has the other core. */
  readonly coresOfIngest: number;
  readonly failed: number;
}

/** Of one tenant it has no more in work at once, and refuses the next. */
const steps = [1, 2, 4, 8, 16, 32] as const;
/** Just started, a process compiles itself. */
const warmUp = { inFlight: 8, seconds: 5 };

/**
 * One process of ingest over Google's emulators and Redis, nothing behind it, under pushes that wait for each other: so many at
 * any time. Where more at once bring no more a second, they only wait. True when every push was taken.
 */
export async function door({ metersPerPush, seconds, json }: DoorOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-door-'));
  const fleet = await Fleet.open(folder);
  try {
    await fleet.start('ingest');
    note('warming up …');
    await hold(fleet, { ...warmUp, metersPerPush });
    const told: DoorStep[] = [];
    for (const inFlight of steps) {
      note(`${inFlight} at once …`);
      told.push(await hold(fleet, { inFlight, seconds, metersPerPush }));
    }
    print(json ? JSON.stringify({ metersPerPush, steps: told, machine }) : report(told, metersPerPush));
    return told.every(({ failed }) => failed === 0);
  } finally {
    await fleet.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Held {
  readonly inFlight: number;
  readonly seconds: number;
  readonly metersPerPush: number;
}

async function hold(fleet: Fleet, { inFlight, seconds, metersPerPush }: Held): Promise<DoorStep> {
  const before = processTree(process.pid);
  const startMs = performance.now();
  const latenciesMs: number[] = [];
  let [interval, failed] = [0, 0];
  const pushOn = async (): Promise<void> => {
    while (performance.now() < startMs + seconds * 1_000) {
      const body = csvOf(metersPerPush, (interval += 1));
      const sentMs = performance.now();
      const answer = await fleet.push(body, randomUUID());
      latenciesMs.push(performance.now() - sentMs);
      failed += answer?.status === 200 ? 0 : 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, pushOn));
  const took = (performance.now() - startMs) / 1_000;
  const used = usedSince(before, processTree(process.pid)).find(({ name }) => name === 'ingest')?.cpuSeconds ?? 0;
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number): number => rounded(sorted[Math.floor(sorted.length * share)] ?? 0);
  return {
    inFlight,
    pushesPerSecond: Math.round(sorted.length / took),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    coresOfIngest: rounded(used / took),
    failed,
  };
}

function report(told: readonly DoorStep[], metersPerPush: number): string {
  const heading = ['at once', 'pushes/s', 'p50 ms', 'p99 ms', 'cores', 'failed'];
  const rows = told.map((step) => [
    step.inFlight,
    step.pushesPerSecond,
    step.p50Ms,
    step.p99Ms,
    step.coresOfIngest,
    step.failed,
  ]);
  const lines = [heading, ...rows].map((row) => row.map((cell) => String(cell).padStart(9)).join(''));
  return [JSON.stringify(machine), `one ingest, pushes of ${metersPerPush} readings`, ...lines].join('\n');
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
