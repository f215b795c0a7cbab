import { sliceBatch } from '@meterflow/readings';
import type { SeriesRun } from '@meterflow/rules';

/** The days [from, to) of a run as a run of their own, which look at the same windows. */
export function runPiece(run: SeriesRun, from: number, to: number): SeriesRun {
  if (from === 0 && to === run.days.length) {
    return run;
  }
  const readingsOf = (days: SeriesRun['days']): number =>
    days.reduce((sum, { slots, registers }) => sum + slots + registers, 0);
  const first = readingsOf(run.days.slice(0, from));
  const days = run.days.slice(from, to);
  return { ...run, days, batch: sliceBatch(run.batch, first, first + readingsOf(days)) };
}
