import { dayMs } from './calendar.ts';
import type { LocalClock } from './local-clock.ts';
import type { Stamp } from './iso-stamp.ts';

/** A stamp as the clock of its source showed it, taken as UTC, and what that clock was ahead of UTC. */
export interface WallTime {
  readonly shownMs: number;
  readonly offsetMs: number;
}

/**
 * Where a stamp tells no offset, the mapping's zone does: the first of two hours that look the same; and a time that its
 * clocks skip is what they show instead.
 */
export function wallTime({ ms, isLocal, offsetMs }: Stamp, clock: LocalClock): WallTime {
  if (!isLocal) {
    return { shownMs: ms + offsetMs, offsetMs };
  }
  const first = clock.instantMs(ms, { foldLocalMs: 0, foldDescends: false, foldPass: 0 }, 0);
  const instantMs = Number.isNaN(first) ? ms - clock.offsetMsAt(ms - dayMs) : first;
  const localOffsetMs = clock.offsetMsAt(instantMs);
  return { shownMs: instantMs + localOffsetMs, offsetMs: localOffsetMs };
}
