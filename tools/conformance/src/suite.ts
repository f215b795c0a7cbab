import type { Pipeline } from './pipeline.ts';

/** The one pipeline of a run, started when it is first asked for. */
export type PipelineSource = () => Promise<Pipeline>;

/** Cases that somebody else made, with what must come of them. */
export interface Suite {
  readonly title: string;
  /** Where its cases lie when no other folder is named; any folder of the same layout will do. */
  readonly folder: string;
  /** All cases of a folder, in the order in which they are told. Throws where the folder is none of this layout. */
  cases(folder: string): Promise<readonly ConformanceCase[]>;
}

export interface ConformanceCase {
  readonly name: string;
  readonly title: string;
  /**
   * Called once, with several others at the same time: what it stores stands under a tenant of its own. Resolves with the
   * first difference to what is expected, in one line, or undefined where there is none; where it rejects, the case has
   * failed for that reason.
   */
  run(pipeline: PipelineSource): Promise<string | undefined>;
}

export interface Verdict {
  readonly name: string;
  readonly title: string;
  readonly passed: boolean;
  readonly difference?: string;
}
