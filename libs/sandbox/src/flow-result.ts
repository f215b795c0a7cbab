import { ReadingCursor, utcText, type ReadingBatch } from '@meterflow/readings';
import {
  RuleFailureError,
  type Flow,
  type FlowResult,
  type FlowStep,
  type RuleFailure,
  type RuleFailureCode,
} from '@meterflow/rules';
import type { FrameReader } from './frame.ts';
import { stepName } from './quarantine.ts';
import { readResult } from './reply.ts';

interface Run {
  readonly flow: Flow;
  readonly batch: ReadingBatch;
}

/** The result that a child sent, in the terms of the port. */
export function flowResult(run: Run, frame: FrameReader): FlowResult {
  const { newTexts, failures, ...columns } = readResult(frame);
  const { texts } = run.batch.columns;
  return {
    ...columns,
    texts: newTexts === '' ? texts : [...texts, ...newTexts.split('\n')],
    failures: failures === '' ? [] : namedFailures(run, failures),
  };
}

interface IsolateFailure {
  readonly index: number;
  readonly step: number;
  readonly code: RuleFailureCode;
  readonly message: string;
}

/** Names rule, version and reading of each failure. */
function namedFailures({ flow, batch }: Run, json: string): RuleFailure[] {
  const failures = (JSON.parse(json) as IsolateFailure[]).toSorted((a, b) => a.index - b.index);
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

/** The failure of a whole batch, as the child told it. */
export function stepFailure({ flow }: Run, json: string): RuleFailureError {
  const [code, step, message] = JSON.parse(json) as [RuleFailureCode, number, string];
  const guilty = flow.steps[step];
  return new RuleFailureError(code, `${nameOf(guilty)}: ${placed(message, guilty)}`);
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
