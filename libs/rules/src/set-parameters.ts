import type { ParameterValue } from './flow.ts';
import { valueProblem, type RuleDeclaration } from './rule-declaration.ts';

/** One parameter that can't be set so, and what to do about it. */
export interface ParameterProblem {
  readonly parameter: string;
  readonly problem: string;
}

/** Checks values against what a rule declares; all that is wrong is told at once, nothing where all fit. */
export function parameterProblems(
  { name, parameters }: Pick<RuleDeclaration, 'name' | 'parameters'>,
  given: Readonly<Record<string, ParameterValue>>,
): ParameterProblem[] {
  const known = Object.keys(parameters);
  const unknown = Object.keys(given)
    .filter((parameter) => !known.includes(parameter))
    .map((parameter) => ({
      parameter,
      problem: `is no parameter of ${name}; it has ${known.length === 0 ? 'none' : known.join(', ')}`,
    }));
  const unfit = Object.entries(parameters).flatMap(([parameter, declared]) => {
    const value = Object.hasOwn(given, parameter) ? given[parameter] : declared.default;
    const problem =
      value === undefined ? 'is missing: it has no default, so give it a value' : valueProblem(declared, value);
    return problem === undefined ? [] : [{ parameter, problem }];
  });
  return [...unknown, ...unfit];
}
