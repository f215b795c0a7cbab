import { canonicalReading, ReadingCursor, type ReadingBatch } from '@meterflow/readings';
import type { ExpectedReading } from '@meterflow/rule-sdk';
import { applyFlowResult } from './apply-flow-result.ts';
import type { Flow, RuleVersion } from './flow.ts';
import type { RuleDeclaration } from './rule-declaration.ts';
import type { RuleTestCase } from './rule-tests.ts';
import { RuleFailureError, type Sandbox } from './sandbox.ts';
import { parameterProblems } from './set-parameters.ts';

/** What became of one case; `problem` is undefined where it came out as expected. */
export interface CaseOutcome {
  readonly name: string;
  readonly problem: string | undefined;
}

/** Decimals that changed values are rounded to, as an activation does unless told otherwise. */
const decimals = 6;

/** Runs each case through the sandbox and through all that makes a validated reading of what the rule did. */
export async function runRuleTests(
  sandbox: Pick<Sandbox, 'run'>,
  { rule, declaration }: { readonly rule: RuleVersion; readonly declaration: RuleDeclaration },
  cases: readonly RuleTestCase[],
): Promise<CaseOutcome[]> {
  const outcomes: CaseOutcome[] = [];
  for (const each of cases) {
    const [unfit] = parameterProblems(declaration, each.parameters);
    const problem =
      unfit === undefined ? await problemOf(sandbox, rule, each) : `parameter ${unfit.parameter} ${unfit.problem}`;
    outcomes.push({ name: each.name, problem });
  }
  return outcomes;
}

async function problemOf(
  sandbox: Pick<Sandbox, 'run'>,
  rule: RuleVersion,
  { batch, parameters, expected }: RuleTestCase,
): Promise<string | undefined> {
  const flow: Flow = { name: 'test', steps: [{ rule, parameters, channels: '*' }], onFailure: 'reject' };
  try {
    const result = await sandbox.run(flow, batch);
    const [failure] = result.failures;
    if (failure !== undefined) {
      return failure.message;
    }
    const { validated } = applyFlowResult(batch, result, { key: '0'.repeat(32), decimals, onFailure: 'reject' });
    return difference(validated.flatMap(readingsOf), expected);
  } catch (error) {
    if (error instanceof RuleFailureError) {
      return error.message;
    }
    throw error;
  }
}

type Outcome = Readonly<Record<keyof ExpectedReading, string | number | undefined>>;

function readingsOf(batch: ReadingBatch): Outcome[] {
  const cursor = new ReadingCursor(batch.columns);
  const outcomes: Outcome[] = [];
  while (cursor.next()) {
    const series = batch.series[cursor.series] ?? { meter: '', channel: '' };
    const {
      value,
      unit,
      quality,
      reason = '',
    } = canonicalReading(batch.tenant, { ...series, layer: 'validated' }, cursor);
    outcomes.push(
      value === null
        ? { rejected: reason, value: undefined, unit, quality, method: cursor.method, reason }
        : { rejected: undefined, value: Number(value), unit, quality, method: cursor.method, reason },
    );
  }
  return outcomes;
}

function difference(outcomes: readonly Outcome[], expected: readonly ExpectedReading[]): string | undefined {
  for (const [index, wanted] of expected.entries()) {
    const outcome = outcomes[index];
    for (const [key, value] of Object.entries(wanted) as [keyof ExpectedReading, unknown][]) {
      if (outcome?.[key] !== value) {
        return `reading ${index + 1}: ${key} is ${shown(outcome?.[key])}, expected ${shown(value)}`;
      }
    }
    if (outcome?.rejected !== undefined && wanted.rejected === undefined && Object.keys(wanted).length > 0) {
      return `reading ${index + 1} was rejected: ${String(outcome.rejected)}`;
    }
  }
  return undefined;
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
