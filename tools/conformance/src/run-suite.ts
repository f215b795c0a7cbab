import type { ConformanceCase, PipelineSource, Verdict } from './suite.ts';

/** A case mostly waits for its readings to go through the stages. */
const casesAtOnceMax = 8;

/** Runs all cases over one pipeline; the verdicts stand in the order of the cases. */
export async function runSuite(
  cases: readonly ConformanceCase[],
  pipeline: PipelineSource,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  let next = 0;
  const runner = async (): Promise<void> => {
    for (let index = next++; index < cases.length; index = next++) {
      verdicts[index] = await verdictOf(cases[index] as ConformanceCase, pipeline);
    }
  };
  await Promise.all(Array.from({ length: casesAtOnceMax }, runner));
  return verdicts;
}

async function verdictOf(tried: ConformanceCase, pipeline: PipelineSource): Promise<Verdict> {
  const { name, title } = tried;
  const difference = await tried.run(pipeline).catch((error: unknown) => String(error));
  return { name, title, passed: difference === undefined, ...(difference === undefined ? {} : { difference }) };
}
