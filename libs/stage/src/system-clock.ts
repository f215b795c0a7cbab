import { setTimeout as timer } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) =>
    timer(Math.max(0, ms), undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
};
