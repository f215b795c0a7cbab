/** Thrown when a trace is not one; the message names the line. */
export class LoadTraceError extends Error {
  override readonly name = 'LoadTraceError';
  readonly code = 'load-trace-invalid';
}

/** Readings that arrive, by second: `readings[i]` within second `i`. */
export interface LoadTrace {
  readonly readings: Float64Array;
}

/** A month by the second; a longer one is cut by whoever has it. */
const traceSecondsMax = 31 * 86_400;
const header = 'seconds,readings';
const linePattern = /^(\d{1,9})(?:\.\d+)?,(\d{1,12})$/;

/**
 * A trace as CSV: `seconds,readings`, seconds from the beginning in order, and how many readings arrive in that second;
 * seconds without a line have none. Throws {@link LoadTraceError}.
 */
export function parseLoadTrace(text: string): LoadTrace {
  const lines = text.split(/\r?\n/);
  if (lines[0]?.trim() !== header) {
    throw new LoadTraceError(`Line 1 is to be "${header}".`);
  }
  const arrivals: [second: number, readings: number][] = [];
  for (const [i, line] of lines.entries()) {
    if (i > 0 && line.trim() !== '') {
      arrivals.push(arrival(line.trim(), i + 1, arrivals.at(-1)?.[0] ?? 0));
    }
  }
  const last = arrivals.at(-1);
  if (last === undefined) {
    throw new LoadTraceError('The trace has no lines.');
  }
  const readings = new Float64Array(last[0] + 1);
  for (const [second, count] of arrivals) {
    readings[second] = (readings[second] ?? 0) + count;
  }
  return { readings };
}

function arrival(line: string, number: number, afterSecond: number): [second: number, readings: number] {
  const found = linePattern.exec(line);
  const second = Number(found?.[1]);
  if (found === null || second >= traceSecondsMax) {
    throw new LoadTraceError(
      `Line ${number} is to be a second below ${traceSecondsMax} and a whole number of readings.`,
    );
  }
  if (second < afterSecond) {
    throw new LoadTraceError(`Line ${number} goes back in time.`);
  }
  return [second, Number(found[2])];
}
