import { systemClock, type Clock } from '@meterflow/stage';
import { sleepBy } from '@meterflow/stage/simulation';
import type { Timeline } from '../world.ts';

/** When a schedule begins, as in simulated time: the stories tell of days before it. */
const startMs = 1_700_000_000_000;

/** The machine's own time, moved to where schedules begin. */
export function movedClock(): Clock {
  const sinceMs = performance.now() - startMs;
  return {
    nowMs: () => Math.floor(performance.now() - sinceMs),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
}

/**
 * Time that passes by itself. What is done in one turn may wait for the world while others have their turns; but the code
 * of processes moves on in turns alone, so that it is at rest in each of them.
 */
export class RealTime implements Timeline {
  readonly #clock: Clock;
  readonly #due = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepBy((...later) => this.after(...later), ms, signal);
  }

  after(ms: number, action: () => void | Promise<void>): () => void {
    if (this.#stopped) {
      return () => undefined;
    }
    const due = setTimeout(() => {
      this.#due.delete(due);
      void action();
    }, ms);
    this.#due.add(due);
    return () => {
      clearTimeout(due);
      this.#due.delete(due);
    };
  }

  /** For good: what is still under way in the world has nobody to answer to. */
  stop(): void {
    this.#stopped = true;
    this.#due.forEach((due) => {
      clearTimeout(due);
    });
    this.#due.clear();
  }
}
