import { countOf, differences, type Differences } from './compare.ts';
import type { EndState } from './end-state.ts';
import { formatSchedule, type Schedule } from './fault.ts';
import type { PlantedBug } from './planted-bug.ts';
import { runSchedule, type RunResult } from './run-schedule.ts';
import { schedulesOf } from './schedules.ts';
import { stories } from './stories.ts';
import type { CrashWorlds } from './world.ts';

export interface ProofOptions {
  readonly worlds: CrashWorlds;
  readonly schedules: number;
  /** The first one; the others follow. */
  readonly seed: number;
  readonly bug?: PlantedBug;
  /** Whose side effects; every stage's where absent. */
  readonly stages?: readonly string[];
  /** Ends with the first failure. */
  readonly failFast?: boolean;
  readonly onProgress?: (sofar: ProofResult) => void;
}

export interface Failure {
  readonly schedule: Schedule;
  readonly differences: Differences;
}

export interface ProofResult {
  schedules: number;
  seeds: number;
  /** Schedules of which something was lost, doubled, or wrong; one can be of all three. */
  lost: number;
  doubled: number;
  wrong: number;
  /** The first ones. */
  readonly failures: Failure[];
}

const failuresKeptMax = 20;

/** Runs schedules, and holds each against the undisturbed run of its seed. */
export async function prove(options: ProofOptions): Promise<ProofResult> {
  const result: ProofResult = { schedules: 0, seeds: 0, lost: 0, doubled: 0, wrong: 0, failures: [] };
  // Every story is told before one is told again.
  const perSeed = Math.ceil(options.schedules / Object.keys(stories).length);
  const isOver = (): boolean =>
    result.schedules >= options.schedules || (options.failFast === true && result.failures.length > 0);
  for (let seed = options.seed; !isOver(); seed++) {
    result.seeds += 1;
    await proveSeed({ seed, count: Math.min(perSeed, options.schedules - result.schedules), isOver }, options, result);
  }
  return result;
}

interface SeedShare {
  readonly seed: number;
  readonly count: number;
  readonly isOver: () => boolean;
}

async function proveSeed(
  { seed, count, isOver }: SeedShare,
  options: ProofOptions,
  result: ProofResult,
): Promise<void> {
  const { worlds, bug } = options;
  const undisturbed = await runSchedule(worlds, { seed, faults: [] });
  const first = bug === undefined ? undisturbed : await runSchedule(worlds, { seed, faults: [] }, { bug });
  judge({ seed, faults: [] }, first, { reference: undisturbed.end, result });
  const effects = [...first.effects].filter(([stage]) => options.stages?.includes(stage) ?? true);
  const schedules = schedulesOf(seed, new Map(effects), Math.max(1, count - 1))[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const schedule of schedules) {
      const run = await runSchedule(worlds, schedule, { bug });
      judge(schedule, run, { reference: undisturbed.end, result });
      options.onProgress?.(result);
      if (isOver()) {
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: worlds.concurrency }, worker));
}

function judge(
  schedule: Schedule,
  run: RunResult,
  { reference, result }: { readonly reference: EndState; readonly result: ProofResult },
): void {
  const found = differences(run, reference);
  result.schedules += 1;
  result.lost += found.lost.length > 0 ? 1 : 0;
  result.doubled += found.doubled.length > 0 ? 1 : 0;
  result.wrong += found.wrong.length > 0 ? 1 : 0;
  if (countOf(found) > 0 && result.failures.length < failuresKeptMax) {
    result.failures.push({ schedule, differences: found });
  }
}

/** A failure for a person to read, with the command that shows it again. */
export function shownFailure({ schedule, differences: { lost, doubled, wrong } }: Failure, adapters: string): string {
  const lines = [
    ...lost.map((line) => `  lost: ${line}`),
    ...doubled.map((line) => `  doubled: ${line}`),
    ...wrong.map((line) => `  wrong: ${line}`),
  ];
  const command = `npm run crash-points -- --adapters ${adapters} --replay ${formatSchedule(schedule)}`;
  return [`${formatSchedule(schedule)}: ${command}`, ...lines].join('\n');
}
