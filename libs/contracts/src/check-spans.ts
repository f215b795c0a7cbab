import type { Spans } from '@meterflow/readings';
import { MalformedMessageError, type MalformedMessageCode } from './malformed-message-error.ts';
import { instantMsMax } from './message-limits.ts';

/** Checks that the spans name `readings` readings of `series` series, each at an instant and none at that of another. */
export function checkSpans(spans: Spans, path: string, expected: { readings: number; series: number }): void {
  const { series, startMs, stepMs, lengthMs, count } = spans;
  checkSameLength({ series, start_ms: startMs, step_ms: stepMs, length_ms: lengthMs, count }, path);
  let readings = 0;
  for (let span = 0; span < count.length; span++) {
    const spanCount = count[span] as number;
    const lastStartMs = (startMs[span] as number) + (stepMs[span] as number) * (spanCount - 1);
    if (
      (series[span] as number) >= expected.series ||
      spanCount === 0 ||
      (spanCount > 1 && !((stepMs[span] as number) >= Math.max(1, lengthMs[span] as number))) ||
      !isInstant(startMs[span] as number) ||
      lastStartMs + (lengthMs[span] as number) > instantMsMax
    ) {
      throw wrongSpan(spans, span, { path, series: expected.series });
    }
    readings += spanCount;
  }
  if (readings !== expected.readings) {
    const problem = `${readings} readings, but ${expected.readings} values`;
    throw new MalformedMessageError('message-mismatch', `${path}.count`, problem);
  }
}

/** Says which part of a span is wrong; found again so that the loop above stays short. */
function wrongSpan(spans: Spans, span: number, context: { path: string; series: number }): MalformedMessageError {
  const wrong = (
    column: string,
    problem: string,
    code: MalformedMessageCode = 'message-value',
  ): MalformedMessageError => new MalformedMessageError(code, `${context.path}.${column}[${span}]`, problem);
  const series = spans.series[span] as number;
  const count = spans.count[span] as number;
  if (series >= context.series) {
    return wrong('series', `points to ${series} of ${context.series}`);
  }
  if (count === 0) {
    return wrong('count', 'is 0');
  }
  if (!isInstant(spans.startMs[span] as number)) {
    return wrong('start_ms', `${spans.startMs[span] as number} is not an instant`);
  }
  const stepMs = spans.stepMs[span] as number;
  return count > 1 && stepMs < Math.max(1, spans.lengthMs[span] as number)
    ? wrong('step_ms', `${stepMs} makes readings overlap`)
    : wrong('count', 'reaches beyond the last instant');
}

export function isInstant(ms: number): boolean {
  return Number.isInteger(ms) && ms >= -instantMsMax && ms <= instantMsMax;
}

/** Checks that all columns of one table are equally long. */
export function checkSameLength(columns: Readonly<Record<string, { readonly length: number }>>, path: string): void {
  const names = Object.keys(columns);
  const length = columns[names[0] as string]?.length ?? 0;
  for (const name of names) {
    const other = columns[name]?.length;
    if (other !== length) {
      const problem = `${other} values, but ${length} in ${names[0]}`;
      throw new MalformedMessageError('message-mismatch', `${path}.${name}`, problem);
    }
  }
}
