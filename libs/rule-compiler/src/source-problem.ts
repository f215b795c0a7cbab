import { problemCharsMax, problemsMax } from './limits.ts';

/** One thing that is wrong with a project's files, and what to do about it. */
export interface SourceProblem {
  /** Path within the project; '' for the project as a whole. */
  readonly file: string;
  /** Count from 1; 0 where the file as a whole is meant. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** `cap-spikes.ts:3:5`, as editors take it. */
export function placeOf({ file, line, column }: SourceProblem): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

export function problemText(problem: SourceProblem): string {
  const place = placeOf(problem);
  return place === '' ? problem.message : `${place}: ${problem.message}`;
}

/** As many as are worth reading, each cut to a readable length. */
export function shownProblems(problems: readonly SourceProblem[]): readonly SourceProblem[] {
  return problems
    .slice(0, problemsMax)
    .map((problem) => ({ ...problem, message: problem.message.slice(0, problemCharsMax) }));
}
