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

/** Runs the batches in turn until so many readings went through, and tells what it cost. */
export async function measureRuns(
  sandbox: IsolatedSandbox,
  flow: Flow,
  { batches, readings }: { readonly batches: readonly ReadingBatch[]; readonly readings: number },
): Promise<RunCost> {
  // Each tenant's isolate is there, and its code is hot, before anything is measured.
  const perBatch = batches[0]?.columns.values.length ?? 1;
  await runInTurn(sandbox, flow, { batches, runs: batches.length * Math.max(3, Math.ceil(20_000 / perBatch)) });
  const before = processTree(process.pid);
  const startMs = performance.now();
  const runs = Math.max(batches.length, Math.ceil(readings / perBatch));
  await runInTurn(sandbox, flow, { batches, runs });
  const wallSeconds = (performance.now() - startMs) / 1_000;
  const used = usedSince(before, processTree(process.pid));
  const own = used.filter(({ pid }) => pid === process.pid);
  const children = used.filter(({ pid }) => sandbox.childPids.includes(pid));
  const cpuSeconds = (list: typeof used): number => list.reduce((sum, usage) => sum + usage.cpuSeconds, 0);
  return {
    readings: runs * perBatch,
    wallSeconds,
    parentCpuSeconds: cpuSeconds(own),
    childCpuSeconds: cpuSeconds(children),
    childMemoryBytesPeak: children.reduce((sum, { memoryBytesPeak }) => sum + memoryBytesPeak, 0),
  };
}

async function runInTurn(
  sandbox: IsolatedSandbox,
  flow: Flow,
  { batches, runs }: { readonly batches: readonly ReadingBatch[]; readonly runs: number },
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < runs) {
      const batch = batches[next++ % batches.length] as ReadingBatch;
      await sandbox.run(flow, batch);
    }
  };
  await Promise.all(Array.from({ length: inFlightMax }, work));
}
