import { ReadingCursor, utcText } from '@meterflow/readings';
import {
  change,
  RuleFailureError,
  ruleFailureCodes,
  type DayResult,
  type Flow,
  type FlowStep,
  type RuleFailure,
  type RuleFailureCode,
} from '@meterflow/rules';
import { checkedStep, checkEmitted, checkResult } from './checked-result.ts';
import { dayResults } from './day-results.ts';
import type { FrameReader } from './frame.ts';
import { stepName } from './quarantine.ts';
import { readResult } from './reply.ts';
import type { RunJob } from './run-job.ts';

/** More of a message is cut off. */
const messageCharsMax = 600;
/** More failures than any limit lets a child tell. */
const failuresMax = 4_096;

type Run = Pick<RunJob, 'flow' | 'batch' | 'days'>;

/** The result that a child sent, or one for each day, in the terms of the port. Throws RangeError for what no honest child sends. */
export function flowResults(run: Run, frame: FrameReader): readonly DayResult[] {
  const count = run.batch.columns.values.length;
  const { newTexts, failures, dayFailures, ...columns } = readResult(frame, count);
  const own = run.batch.columns.texts;
  const texts = newTexts === '' ? own : [...own, ...newTexts.split('\n')];
  checkResult({ raw: columns, texts, ownTexts: own.length });
  checkEmitted(columns, { flow: run.flow, isDay: run.days !== undefined, count });
  const whole = { ...columns, texts, failures: failures === '' ? [] : namedFailures(run, columns.changes, failures) };
  const failed = dayFailures === '' ? noneFailed : failedDays(run, dayFailures);
  return run.days === undefined ? [whole] : dayResults(run.days, whole, failed);
}

interface IsolateFailure {
  readonly index: number;
  readonly step: number;
  readonly code: RuleFailureCode;
  readonly message: string;
}

/** Names rule, version and reading of each failure. */
function namedFailures({ flow, batch }: Run, changes: Uint8Array, json: string): RuleFailure[] {
  const failures = parsed(json)
    .map((told) => checkedFailure(told, flow, changes))
    .sort((a, b) => a.index - b.index);
  const cursor = new ReadingCursor(batch.columns);
  return failures.map(({ index, step, code, message }) => {
    while (cursor.index < index && cursor.next()) {
      // Failures are few, and the cursor goes forwards only.
    }
    const series = batch.series[cursor.series];
    const reading = `meter ${series?.meter ?? ''}, channel ${series?.channel ?? ''}, ${utcText(cursor.startMs)}`;
    const guilty = flow.steps[step];
    return { index, code, message: `${nameOf(guilty)} on ${reading}: ${placed(message, guilty)}` };
  });
}

function checkedFailure(told: unknown, flow: Flow, changes: Uint8Array): IsolateFailure {
  const { index, step, code, message } = Object(told) as Readonly<Record<keyof IsolateFailure, unknown>>;
  const named = checkedStep(step, flow);
  const bits = changes[index as number];
  const { severity = 'terminate' } = flow.steps[named] as FlowStep;
  // A step of another severity is left out for a reading that it fails on, which then did not fail.
  if (bits === undefined || (severity === 'terminate' && (bits & change.failed) === 0)) {
    throw new RangeError('a failure is told of a reading that did not fail');
  }
  return { index: index as number, step: named, ...checkedTelling(code, message) };
}

const noneFailed: ReadonlyMap<number, RuleFailureError> = new Map();

/** Days that failed as a whole, by their places in the run. */
function failedDays({ flow, batch, days }: Run, json: string): ReadonlyMap<number, RuleFailureError> {
  const failed = new Map<number, RuleFailureError>();
  for (const told of parsed(json)) {
    const { place, step, code, message } = Object(told) as Readonly<Record<string, unknown>>;
    const day = days?.days[place as number];
    if (days === undefined || day === undefined || failed.has(place as number)) {
      throw new RangeError('a child tells of a day that it was not given');
    }
    const startMs = days.startMs[day.day] as number;
    failed.set(place as number, failureOn({ flow, batch, dayMs: startMs }, step, checkedTelling(code, message)));
  }
  return failed;
}

/** The failure of a whole batch, or of all days of a run, as the child told it. Throws RangeError for what no honest child tells. */
export function stepFailure({ flow, batch, days }: Run, json: string): RuleFailureError {
  const [code, step, message] = parsed(json);
  const dayMs = days === undefined ? undefined : (batch.columns.spans.startMs[0] ?? 0);
  return failureOn({ flow, batch, dayMs }, step, checkedTelling(code, message));
}

function failureOn(
  { flow, batch, dayMs }: Pick<Run, 'flow' | 'batch'> & { readonly dayMs: number | undefined },
  step: unknown,
  { code, message }: Pick<IsolateFailure, 'code' | 'message'>,
): RuleFailureError {
  const guilty = flow.steps[checkedStep(step, flow)];
  const { meter = '', channel = '' } = batch.series[0] ?? {};
  const where = dayMs === undefined ? '' : ` on meter ${meter}, channel ${channel}, the day of ${utcText(dayMs)}`;
  return new RuleFailureError(code, `${nameOf(guilty)}${where}: ${placed(message, guilty)}`);
}

/** The list that a child sent as JSON. */
function parsed(json: string): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(json);
    if (Array.isArray(list) && list.length <= failuresMax) {
      return list;
    }
  } catch {
    // Told below.
  }
  throw new RangeError('a child told its failures otherwise than as a short list');
}

function checkedTelling(code: unknown, message: unknown): Pick<IsolateFailure, 'code' | 'message'> {
  if (!ruleFailureCodes.some((known) => known === code) || typeof message !== 'string') {
    throw new RangeError('a child told a failure without a code and a message');
  }
  return { code: code as RuleFailureCode, message: message.slice(0, messageCharsMax).replace(/\p{Cc}/gu, ' ') };
}

function nameOf(guilty: FlowStep | undefined): string {
  return guilty === undefined ? 'a rule' : stepName(guilty);
}

/** The message with the place in the customer's files, where the version knows it, instead of the line of its bundle. */
function placed(message: string, guilty: FlowStep | undefined): string {
  const lines = guilty?.rule.lines;
  return lines === undefined
    ? message
    : message.replace(/ \(line (\d+)\)$/, (_, line: string) => {
        const place = lines[Number(line) - 1] ?? '';
        return place === '' ? '' : ` (${place})`;
      });
}
