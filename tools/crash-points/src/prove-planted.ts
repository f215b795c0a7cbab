import { formatSchedule } from './fault.ts';
import type { PlantedBug } from './planted-bug.ts';
import { plantedBugs } from './planted/bugs.ts';
import { prove } from './proof.ts';
import { storyNames, type StoryName } from './workload.ts';
import type { CrashWorlds } from './world.ts';

/** Few of each seed, so that several interleavings of the story are tried before long. */
const perSeed = 60;

/** What became of one planted bug. */
export interface PlantedVerdict {
  readonly bug: PlantedBug;
  /** `elsewhere`: it can't be planted in these adapters. */
  readonly verdict: 'caught' | 'missed' | 'elsewhere';
  /** How many schedules it took, and the one that caught it. */
  readonly schedules: number;
  readonly by: string;
}

/** Plants each bug in turn and runs the proof until it is caught, or the schedules are over. */
export async function provePlanted(
  options: { readonly worlds: CrashWorlds; readonly schedules: number; readonly seed: number },
  onVerdict: (verdict: PlantedVerdict) => void,
): Promise<readonly PlantedVerdict[]> {
  const verdicts: PlantedVerdict[] = [];
  for (const bug of plantedBugs) {
    const verdict = await verdictOf(bug, options);
    verdicts.push(verdict);
    onVerdict(verdict);
  }
  return verdicts;
}

async function verdictOf(bug: PlantedBug, options: Parameters<typeof provePlanted>[0]): Promise<PlantedVerdict> {
  if (bug.only !== undefined && !bug.only.adapters.includes(options.worlds.adapters)) {
    return { bug, verdict: 'elsewhere', schedules: 0, by: '' };
  }
  const { seed, ...others } = options;
  const seeds = { seed: firstSeedOf(bug.story, seed), seedStep: storyNames.length, perSeed };
  const { schedules, failures } = await prove({ ...others, ...seeds, bug, failFast: true });
  const [first] = failures;
  return first === undefined
    ? { bug, verdict: 'missed', schedules, by: '' }
    : { bug, verdict: 'caught', schedules, by: formatSchedule(first.schedule) };
}

export function shownVerdict({ bug, verdict, schedules, by }: PlantedVerdict): string {
  const name = bug.name.padEnd(40);
  switch (verdict) {
    case 'caught':
      return `${name} caught  by ${by}, after ${schedules} schedules`;
    case 'missed':
      return `${name} MISSED  in ${schedules} schedules`;
    case 'elsewhere':
      return `${name} can not be here: ${bug.only?.because ?? ''} (--adapters ${bug.only?.adapters.join(' or ') ?? ''})`;
  }
}

/** The first seed from here on whose turn the story is. */
function firstSeedOf(story: StoryName, seed: number): number {
  const turns = storyNames.length;
  return seed + ((storyNames.indexOf(story) - (seed % turns) + turns) % turns);
}
