import { unknownPeak } from './aggregate-batch.ts';

/**
 * The longest step in which the known peaks of rows [from, to) can be told, so that they are small numbers: of quarter
 * hours 0 to 3 in an hour. 0 where none is known.
 */
export function peakStepMs(offsetsMs: Float64Array, from: number, to: number): number {
  let stepMs = 0;
  let isKnown = false;
  for (let row = from; row < to; row++) {
    const offsetMs = offsetsMs[row] as number;
    if (offsetMs !== unknownPeak) {
      isKnown = true;
      stepMs = offsetMs % stepMs === 0 ? stepMs : greatestDivisor(stepMs, offsetMs);
    }
  }
  // Where all peaks are at the start of their rows, any step says so.
  return isKnown ? stepMs || 1 : 0;
}

function greatestDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller !== 0) {
    [larger, smaller] = [smaller, larger % smaller];
  }
  return larger;
}
