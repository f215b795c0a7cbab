import type { SeriesName } from '@meterflow/readings';
import type { MessagePlan } from './message-plan.ts';
import { seriesPath, WindowSet, type WindowRun } from './window-set.ts';

/** How many reads of one group are under way at once: a store may answer them together. */
const readsInFlightMax = 1_000;

/** Windows read back, with what the store had of them. */
export interface RunRead<Content> extends WindowRun {
  readonly content: Content;
}

/** What was read for a group's windows, by series. */
export class RunReads<Content> {
  readonly #bySeries = new Map<string, RunRead<Content>[]>();

  add(read: RunRead<Content>): void {
    const path = seriesPath(read.series);
    const known = this.#bySeries.get(path);
    if (known === undefined) {
      this.#bySeries.set(path, [read]);
    } else {
      known.push(read);
    }
  }

  /** What holds a run of windows: each run of a plan lies within one run that was read. */
  of({ series, first, end }: WindowRun): Content {
    const found = this.#bySeries.get(seriesPath(series))?.find((read) => read.first <= first && end <= read.end);
    if (found === undefined) {
      throw new RangeError(`windows ${first} to ${end} of a series were planned, but not read`);
    }
    return found.content;
  }
}

/** Reads the union of the plans' windows, each once. */
export async function readRuns<Content>(
  plans: readonly MessagePlan[],
  read: (run: WindowRun) => Promise<Content>,
): Promise<RunReads<Content>> {
  const union = unionOf(plans);
  const reads = new RunReads<Content>();
  const runs = union.runs();
  const reader = async (): Promise<void> => {
    for (const run of runs) {
      reads.add({ ...run, content: await read(run) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(readsInFlightMax, union.count) }, reader));
  return reads;
}

/** The windows of all plans, each once: as they were read. */
export function runsRead(plans: readonly MessagePlan[]): readonly WindowRun[] {
  return [...unionOf(plans).runs()];
}

function unionOf(plans: readonly MessagePlan[]): WindowSet {
  const union = new WindowSet();
  for (const { windows } of plans) {
    union.addAll(windows);
  }
  return union;
}

/** The runs of a plan in the order of their series, for the same message whatever the order of its inputs. */
export function sortedRuns(windows: WindowSet, compare: (a: SeriesName, b: SeriesName) => number): WindowRun[] {
  return [...windows.runs()].sort((a, b) => compare(a.series, b.series) || a.first - b.first);
}
