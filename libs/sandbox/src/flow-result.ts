import { ReadingCursor, utcText, type ReadingBatch } from '@meterflow/readings';
import {
  change,
  RuleFailureError,
  ruleFailureCodes,
  type Flow,
  type FlowStep,
  type RuleFailure,
  type RuleFailureCode,
  type SeriesResult,
} from '@meterflow/rules';
import { checkedStep, checkEmitted, checkResult } from './checked-result.ts';
import type { FrameReader } from './frame.ts';
import { stepName } from './quarantine.ts';
import { readResult } from './reply.ts';

/** More of a message is cut off. */
const messageCharsMax = 600;
/** More failures than any limit lets a child tell. */
const failuresMax = 4_096;

interface Run {
  readonly flow: Flow;
  readonly batch: ReadingBatch;
  readonly day?: unknown;
}

/** The result that a child sent, in the terms of the port. Throws RangeError for what no honest child sends. */
export function flowResult(run: Run, frame: FrameReader): SeriesResult {
  const count = run.batch.columns.values.length;
  const { newTexts, failures, ...columns } = readResult(frame, count);
  const own = run.batch.columns.texts;
  const texts = newTexts === '' ? own : [...own, ...newTexts.split('\n')];
  checkResult({ raw: columns, texts, ownTexts: own.length });
  checkEmitted(columns, { flow: run.flow, isDay: run.day !== undefined, count });
  return { ...columns, texts, failures: failures === '' ? [] : namedFailures(run, columns.changes, failures) };
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

/** The failure of a whole batch, as the child told it. Throws RangeError for what no honest child tells. */
export function stepFailure({ flow, batch, day }: Run, json: string): RuleFailureError {
  const [code, step, message] = parsed(json);
  const told = checkedTelling(code, message);
  const guilty = flow.steps[checkedStep(step, flow)];
  const { meter = '', channel = '' } = batch.series[0] ?? {};
  const dayStart = utcText(batch.columns.spans.startMs[0] ?? 0);
  const where = day === undefined ? '' : ` on meter ${meter}, channel ${channel}, the day of ${dayStart}`;
  return new RuleFailureError(told.code, `${nameOf(guilty)}${where}: ${placed(told.message, guilty)}`);
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
