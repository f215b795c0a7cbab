import { peakStepMs, unknownPeak } from '@meterflow/aggregates';
import { integerMax } from '@meterflow/readings';
import { MalformedMessageError } from './malformed-message-error.ts';
import type { MessageFields } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import type { WireWriter } from './wire-writer.ts';

const stepField = 11;
const narrowField = 12;
const wideField = 13;

/** Writes when each row's peak is, in steps of the longest length that measures them all; nothing where none is known. */
export function writePeaks(writer: WireWriter, offsetsMs: Float64Array): void {
  const stepMs = peakStepMs(offsetsMs, 0, offsetsMs.length);
  if (stepMs === 0) {
    return;
  }
  const steps = new Float64Array(offsetsMs.length);
  let greatest = 0;
  for (let row = 0; row < steps.length; row++) {
    const offsetMs = offsetsMs[row] as number;
    const step = offsetMs === unknownPeak ? 0 : checkedOffset(offsetMs, row) / stepMs + 1;
    steps[row] = step;
    greatest = step > greatest ? step : greatest;
  }
  if (greatest <= 0xff) {
    writer.column(narrowField, new Uint8Array(steps));
  } else {
    writer.column(wideField, steps);
  }
  writer.unsigned(stepField, stepMs);
}

/** Reads what {@link writePeaks} wrote, in elapsed milliseconds from each of so many rows' start. */
export function readPeaks(rows: MessageFields, length: number): Float64Array {
  const isWide = rows.has(wideField);
  if (isWide && rows.has(narrowField)) {
    throw rows.fail(wideField, 'message-mismatch', 'stands there both narrow and wide');
  }
  if (!isWide && !rows.has(narrowField)) {
    return new Float64Array(length).fill(unknownPeak);
  }
  const stepMs = rows.unsigned(stepField);
  if (stepMs === 0) {
    throw rows.fail(stepField, 'message-value', 'peaks are told in steps of 0 ms');
  }
  const { rowsMax } = messageLimits;
  const steps = isWide ? rows.float64s(wideField, rowsMax) : rows.bytesColumn(narrowField, rowsMax);
  const offsetsMs = new Float64Array(steps.length);
  for (let row = 0; row < steps.length; row++) {
    const step = steps[row] as number;
    offsetsMs[row] = step === 0 ? unknownPeak : checkedOffset((step - 1) * stepMs, row);
  }
  return offsetsMs;
}

function checkedOffset(offsetMs: number, row: number): number {
  // False for NaN too. One less than the greatest integer, since a step more than the offset is written.
  if (!(offsetMs >= 0 && offsetMs < integerMax && Math.trunc(offsetMs) === offsetMs)) {
    throw new MalformedMessageError('message-value', `rows.peak[${row}]`, `${offsetMs} is no offset`);
  }
  return offsetMs;
}
