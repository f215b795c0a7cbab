import type { LocalClock } from '../local-clock.ts';

/** As fine as any zone changes its clocks. */
const stepMs = 900_000;

/** What a clock shows from the last change of its offset within [fromMs, toMs] on; undefined where there is none. */
export function shownAfterChange(clock: LocalClock, fromMs: number, toMs: number): number | undefined {
  const after = clock.offsetMsAt(toMs);
  let [same, other] = [Math.floor(toMs / stepMs), Math.ceil(fromMs / stepMs) - 1];
  if (clock.offsetMsAt(other * stepMs) === after) {
    return undefined;
  }
  while (same - other > 1) {
    const middle = Math.floor((same + other) / 2);
    if (clock.offsetMsAt(middle * stepMs) === after) {
      same = middle;
    } else {
      other = middle;
    }
  }
  return same * stepMs + after;
}
