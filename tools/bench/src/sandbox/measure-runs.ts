import type { ReadingBatch } from '@meterflow/readings';
import type { Flow } from '@meterflow/rules';
import type { IsolatedSandbox } from '@meterflow/sandbox';
import { processTree, usedSince } from '../process-usage.ts';

export interface RunCost {
  readonly readings: number;
  readonly wallSeconds: number;
  /** CPU seconds of this process, and of the sandbox's children. */
  readonly parentCpuSeconds: number;
  readonly childCpuSeconds: number;
  /** The most that the children ever held, together. */
  readonly childMemoryBytesPeak: number;
}

/** Runs that wait for their results at a time. */
const inFlightMax = 8;

export interface Runs {
  /** Readings of one run. */
  readonly readingsEach: number;
  /** Runs that make everything hot before it is measured, and those that are. */
  readonly warmingRuns: number;
  readonly runs: number;
  readonly run: (index: number) => Promise<unknown>;
}

/** Runs the batches in turn until so many readings went through, and tells what it cost. */
export function measureBatches(
  sandbox: IsolatedSandbox,
  flow: Flow,
  { batches, readings }: { readonly batches: readonly ReadingBatch[]; readonly readings: number },
): Promise<RunCost> {
  const readingsEach = batches[0]?.columns.values.length ?? 1;
  return measureRuns(sandbox, {
    readingsEach,
    // Each tenant's isolate is there, and its code is hot, before anything is measured.
    warmingRuns: batches.length * Math.max(3, Math.ceil(20_000 / readingsEach)),
    runs: Math.max(batches.length, Math.ceil(readings / readingsEach)),
    run: (index) => sandbox.run(flow, batches[index % batches.length] as ReadingBatch),
  });
}

/** Makes so many runs, some of them at a time, and tells what they cost. */
export async function measureRuns(
  sandbox: IsolatedSandbox,
  { readingsEach, warmingRuns, runs, run }: Runs,
): Promise<RunCost> {
  await inTurn(warmingRuns, run);
  const before = processTree(process.pid);
  const startMs = performance.now();
  await inTurn(runs, run);
  const wallSeconds = (performance.now() - startMs) / 1_000;
  const used = usedSince(before, processTree(process.pid));
  const own = used.filter(({ pid }) => pid === process.pid);
  const children = used.filter(({ pid }) => sandbox.childPids.includes(pid));
  const cpuSeconds = (list: typeof used): number => list.reduce((sum, usage) => sum + usage.cpuSeconds, 0);
  return {
    readings: runs * readingsEach,
    wallSeconds,
    parentCpuSeconds: cpuSeconds(own),
    childCpuSeconds: cpuSeconds(children),
    childMemoryBytesPeak: children.reduce((sum, { memoryBytesPeak }) => sum + memoryBytesPeak, 0),
  };
}

async function inTurn(runs: number, run: Runs['run']): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < runs) {
      await run(next++);
    }
  };
  await Promise.all(Array.from({ length: inFlightMax }, work));
}
