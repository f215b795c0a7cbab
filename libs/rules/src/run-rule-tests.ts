import { canonicalReading, ReadingCursor, type ReadingBatch } from '@meterflow/readings';
import type { ExpectedReading } from '@meterflow/rule-sdk';
import { applyFlowResult } from './apply-flow-result.ts';
import { dayResult, GivenReadings, writeDay, writeEmitted } from './apply-series-result.ts';
import { emitsOf } from './channel-flow.ts';
import type { Flow, RuleVersion, SeriesNeeds } from './flow.ts';
import type { RuleDeclaration } from './rule-declaration.ts';
import type { RuleTestCase } from './rule-tests.ts';
import { RuleFailureError, type Sandbox } from './sandbox.ts';
import type { SeriesTestCase } from './series-cases.ts';
import { resultOfDay, type SeriesRun } from './series-run.ts';
import { parameterProblems } from './set-parameters.ts';
import { ValidatedRows } from './validated-rows.ts';

/** What became of one case; `problem` is undefined where it came out as expected. */
export interface CaseOutcome {
  readonly name: string;
  readonly problem: string | undefined;
}

/** Decimals that changed values are rounded to, as an activation does unless told otherwise. */
const decimals = 6;

/** Runs each case through the sandbox and through all that makes a validated reading of what the rule did. */
export async function runRuleTests(
  sandbox: Pick<Sandbox, 'run' | 'runSeries'>,
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
  sandbox: Pick<Sandbox, 'run' | 'runSeries'>,
  rule: RuleVersion,
  each: RuleTestCase,
): Promise<string | undefined> {
  const { parameters } = each;
  const flow: Flow = { name: 'test', steps: [{ rule, parameters, channels: '*' }], onFailure: 'reject' };
  try {
    if ('day' in each) {
      return rule.series === undefined
        ? 'a rule with onReading is tried with readings, not with values of a day'
        : await dayProblem(sandbox, { flow, needs: rule.series }, each.day);
    }
    if (rule.series !== undefined) {
      return 'a rule with onSeries is tried with values of a day, not with readings';
    }
    const { batch, expected } = each;
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

/** What of a day came out otherwise than expected. */
async function dayProblem(
  sandbox: Pick<Sandbox, 'runSeries'>,
  { flow, needs }: { readonly flow: Flow; readonly needs: SeriesNeeds },
  { windows, day, series, slots, registers, emitted }: SeriesTestCase,
): Promise<string | undefined> {
  const around = { backDays: needs.lookBackDays, aheadDays: needs.lookAheadDays };
  const run = windows(needs.reads).run(day, around);
  const result = resultOfDay(await sandbox.runSeries(flow, run));
  const [failure] = result.failures;
  if (failure !== undefined) {
    return failure.message;
  }
  const rows = new ValidatedRows('test', 0);
  const given = new GivenReadings();
  const stamp = { activation: 0, ticket: 1, decimals, onFailure: 'reject', counts: () => true } as const;
  const { batch } = run;
  writeDay(rows, { batch, result: dayResult(result, batch) }, { stamp, given });
  const own = rows.finish().flatMap(placedReadings);
  const count = batch.columns.values.length;
  writeEmitted(rows, { result, count, emits: emitsOf(flow), series }, { stamp, given });
  const made = rows.finish().flatMap(placedReadings);
  return (
    slotsProblem(own, slots, run) ??
    (registers === undefined
      ? undefined
      : difference(
          own.filter(({ lengthMs }) => lengthMs === 0).map(({ outcome }) => outcome),
          registers,
        )) ??
    emittedProblem(made, emitted)
  );
}

interface PlacedReading {
  readonly channel: string;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly outcome: Outcome;
}

function placedReadings(batch: ReadingBatch): PlacedReading[] {
  const cursor = new ReadingCursor(batch.columns);
  const outcomes = readingsOf(batch);
  return outcomes.map((outcome) => {
    cursor.next();
    const { startMs, lengthMs } = cursor;
    return { channel: batch.series[cursor.series]?.channel ?? '', startMs, lengthMs, outcome };
  });
}

function slotsProblem(
  own: readonly PlacedReading[],
  slots: SeriesTestCase['slots'],
  { startMs, days, intervalMs }: SeriesRun,
): string | undefined {
  for (const [index, wanted] of slots.entries()) {
    const atMs = (startMs[days[0]?.day ?? 0] as number) + index * intervalMs;
    const found = own.find((each) => each.startMs === atMs && each.lengthMs === intervalMs)?.outcome;
    if (wanted === 'gap') {
      if (found?.value !== undefined) {
        return `slot ${index + 1}: value is ${shown(found.value)}, expected a gap`;
      }
      continue;
    }
    const problem = difference(found === undefined ? [] : [found], [wanted]);
    if (problem !== undefined) {
      return problem.replace('reading 1', `slot ${index + 1}`);
    }
  }
  return undefined;
}

function emittedProblem(made: readonly PlacedReading[], expected: SeriesTestCase['emitted']): string | undefined {
  if (expected === undefined) {
    return undefined;
  }
  for (const { channel, start, ...wanted } of expected) {
    const found = made.find((each) => each.channel === channel && each.startMs === Date.parse(start));
    const problem =
      found === undefined ? 'it was not emitted' : difference([found.outcome], [wanted])?.replace('reading 1: ', '');
    if (problem !== undefined) {
      return `${channel} at ${start}: ${problem}`;
    }
  }
  return made.length === expected.length
    ? undefined
    : `it emitted ${made.length} readings, expected are ${expected.length}`;
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
