import type { SequenceSettings } from './sequence-settings.ts';
import { timeOfDayMs } from './time-of-day.ts';

type Reset = NonNullable<SequenceSettings['cumulative']>['reset'];

const dayMs = 86_400_000;

/** Whether a counter may begin at 0 again in an interval that starts at this local time. */
export function mayReset(reset: Reset, localMs: number): boolean {
  if (typeof reset === 'string') {
    return reset === 'anytime';
  }
  const [fromMs, toMs] = [timeOfDayMs(reset.from) ?? 0, timeOfDayMs(reset.to) ?? dayMs];
  const timeMs = localMs - Math.floor(localMs / dayMs) * dayMs;
  return fromMs <= toMs ? timeMs >= fromMs && timeMs <= toMs : timeMs >= fromMs || timeMs <= toMs;
}
