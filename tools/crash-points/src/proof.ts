import { countOf, differences, type Differences } from './compare.ts';
import type { EndState } from './end-state.ts';
import { formatSchedule, type Schedule } from './fault.ts';
import type { PlantedBug } from './planted-bug.ts';
import { runSchedule, type RunResult } from './run-schedule.ts';
import { schedulesOf } from './schedules.ts';
import { restingStages, stages } from './stages.ts';
import { storyNames } from './workload.ts';
import type { CrashWorlds } from './world.ts';

export interface ProofOptions {
  readonly worlds: CrashWorlds;
  readonly schedules: number;
  /** The first one; the others follow. */
  readonly seed: number;
  /** From one seed to the next: more than 1 where others prove the seeds between. */
  readonly seedStep?: number;
  /** At most so many of one seed; where absent so many that every story is told before one is told again. */
  readonly perSeed?: number;
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
  /** Runs in which what was to befall some process did. */
  schedules: number;
  seeds: number;
  /** Faults that never came, since the run was over before: a schedule of nothing else is not counted. */
  faultsLeft: number;
  /** Schedules of which something was lost, doubled, or wrong; one can be of all three. */
  lost: number;
  doubled: number;
  wrong: number;
  /** The first ones. */
  readonly failures: Failure[];
}

export const failuresKeptMax = 20;

/** Runs schedules, and holds each against the undisturbed run of its seed. */
export async function prove(options: ProofOptions): Promise<ProofResult> {
  const result: ProofResult = { schedules: 0, seeds: 0, faultsLeft: 0, lost: 0, doubled: 0, wrong: 0, failures: [] };
  const { seedStep = 1, perSeed = perSeedOf(options.schedules) } = options;
  const isOver = (): boolean =>
    result.schedules >= options.schedules || (options.failFast === true && result.failures.length > 0);
  for (let seed = options.seed; !isOver(); seed += seedStep) {
    result.seeds += 1;
    await proveSeed({ seed, share: Math.min(perSeed, options.schedules - result.schedules), isOver }, options, result);
  }
  return result;
}

/** So many schedules of each seed that every story is told before one is told again. */
export function perSeedOf(schedules: number): number {
  return Math.ceil(schedules / storyNames.length);
}

interface SeedShare {
  readonly seed: number;
  readonly share: number;
  readonly isOver: () => boolean;
}

async function proveSeed(
  { seed, share, isOver }: SeedShare,
  options: ProofOptions,
  result: ProofResult,
): Promise<void> {
  const { worlds, bug } = options;
  const undisturbed = await runSchedule(worlds, { seed, faults: [] });
  const unsound = unsoundness(undisturbed);
  if (unsound.length > 0) {
    // What comes to nothing undisturbed comes to the same nothing with every fault: that proves nothing.
    const complaints = { lost: unsound, doubled: [], wrong: [] };
    result.schedules += 1;
    count({ schedule: { seed, faults: [] }, differences: complaints }, result);
    return;
  }
  const first = bug === undefined ? undisturbed : await runSchedule(worlds, { seed, faults: [] }, { bug });
  judge({ seed, faults: [] }, first, { reference: undisturbed.end, result });
  const effects = [...first.effects].filter(([stage]) => options.stages?.includes(stage) ?? true);
  const schedules = schedulesOf(seed, new Map(effects), share - 1)[Symbol.iterator]();
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
  result.faultsLeft += run.faultsLeft;
  const testsNothing = run.faultsLeft > 0 && run.faultsLeft === schedule.faults.length;
  result.schedules += testsNothing ? 0 : 1;
  count({ schedule, differences: differences(run, reference) }, result);
}

function count(outcome: Failure, result: ProofResult): void {
  const { lost, doubled, wrong } = outcome.differences;
  result.lost += lost.length > 0 ? 1 : 0;
  result.doubled += doubled.length > 0 ? 1 : 0;
  result.wrong += wrong.length > 0 ? 1 : 0;
  if (countOf(outcome.differences) > 0 && result.failures.length < failuresKeptMax) {
    result.failures.push(outcome);
  }
}

/** Why an undisturbed run is no measure of others; empty where it is one. */
export function unsoundness({ end, effects, breaches, untold, isStuck }: RunResult): readonly string[] {
  const idle = Object.keys(stages).filter((stage) => !restingStages.includes(stage) && (effects.get(stage) ?? 0) === 0);
  const unfinished = [...end.sources].filter(([, { state, received }]) => state !== 'complete' || received === 0);
  return [
    ...(isStuck ? ['the undisturbed run did not come to its end'] : []),
    ...(end.lines.size === 0 ? ['the undisturbed run left nothing'] : []),
    ...idle.map((stage) => `${stage} did nothing in the undisturbed run`),
    ...unfinished.map(
      ([name, { state, received }]) => `source ${name} is ${state} with ${received} received, undisturbed`,
    ),
    ...end.backlog.map((waiting) => `never settled, undisturbed: ${waiting}`),
    ...breaches,
    ...untold,
  ];
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
