import type { CompiledRule, CompiledTests } from '@meterflow/rule-compiler';
import { runRuleTests, type CaseOutcome, type Sandbox } from '@meterflow/rules';
import { CommandError } from '../cli-context.ts';

export type RuleOutcome = CaseOutcome & { readonly rule: string };

/** Runs the tests of a folder, each on the rule that it names. */
export async function runTests(
  sandbox: Pick<Sandbox, 'run' | 'runSeries'>,
  { rules, tests }: { readonly rules: readonly CompiledRule[]; readonly tests: readonly CompiledTests[] },
): Promise<readonly RuleOutcome[]> {
  const outcomes: RuleOutcome[] = [];
  for (const { file, rule: name, cases } of tests) {
    const rule = rules.find(({ version }) => version.name === name);
    if (rule === undefined) {
      throw new CommandError('rule-invalid', `${file} tests the rule ${name}, but no file of the folder exports it`);
    }
    const { version, declaration } = rule;
    const told = await runRuleTests(sandbox, { rule: version, declaration }, cases);
    outcomes.push(...told.map((outcome) => ({ rule: name, ...outcome })));
  }
  return outcomes;
}

/** Two lines for what failed, one for what did not. */
export function outcomeText({ rule, name, problem }: RuleOutcome): string {
  return problem === undefined ? `  ok      ${rule}: ${name}` : `  failed  ${rule}: ${name}\n          ${problem}`;
}
