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
      if (offsetMs !== 0 && offsetMs !== stepMs && !isMultiple(offsetMs, stepMs)) {
        stepMs = greatestDivisor(stepMs, offsetMs);
      }
    }
  }
  // Where all peaks are at the start of their rows, any step says so.
  return isKnown ? stepMs || 1 : 0;
}

/** Remainders of 32-bit integers cost a fraction of those of others, and most offsets are such. */
function isMultiple(offsetMs: number, stepMs: number): boolean {
  const [offset, step] = [offsetMs | 0, stepMs | 0];
  return offset === offsetMs && step === stepMs ? step !== 0 && offset % step === 0 : offsetMs % stepMs === 0;
}

function greatestDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller !== 0) {
    [larger, smaller] = [smaller, larger % smaller];
  }
  return larger;
}
