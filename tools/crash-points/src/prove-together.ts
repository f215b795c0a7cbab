import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { failuresKeptMax, perSeedOf, type ProofResult } from './proof.ts';

/** What one worker proves: every so manieth seed. */
export interface WorkerShare {
  readonly adapters: string;
  readonly schedules: number;
  readonly seed: number;
  readonly seedStep: number;
  readonly perSeed: number;
}

export interface TogetherOptions {
  readonly adapters: string;
  readonly schedules: number;
  readonly seed: number;
  readonly workers: number;
  readonly onProgress?: (sofar: ProofResult) => void;
}

/** Runs leave much behind that is young and dies together: room for it spares most of the collecting. */
const resourceLimits = { maxYoungGenerationSizeMb: 128 };

/** The proof by several threads, each with seeds of its own: the same schedules whoever runs them. */
export async function proveTogether(options: TogetherOptions): Promise<ProofResult> {
  const { adapters, schedules, seed, workers, onProgress } = options;
  const sofar: ProofResult[] = [];
  const prove = async (index: number): Promise<void> => {
    const share: WorkerShare = {
      adapters,
      schedules: Math.floor((schedules + index) / workers),
      seed: seed + index,
      seedStep: workers,
      perSeed: perSeedOf(schedules),
    };
    const worker = new Worker(new URL('prove-in-worker.ts', import.meta.url), { workerData: share, resourceLimits });
    worker.on('message', (result: ProofResult) => {
      sofar[index] = result;
      onProgress?.(sum(sofar));
    });
    const [code] = (await once(worker, 'exit')) as [number];
    if (code !== 0) {
      throw new Error(`a worker ended with ${code}`);
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, index) => prove(index)));
  return sum(sofar);
}

function sum(results: readonly ProofResult[]): ProofResult {
  const total: ProofResult = { schedules: 0, seeds: 0, faultsLeft: 0, lost: 0, doubled: 0, wrong: 0, failures: [] };
  for (const { failures, ...counts } of results.filter((result) => result as ProofResult | undefined)) {
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
      total[name] += counts[name];
    }
    total.failures.push(...failures.slice(0, failuresKeptMax - total.failures.length));
  }
  return total;
}
