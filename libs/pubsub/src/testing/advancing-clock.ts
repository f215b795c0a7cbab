import { systemClock, type Clock } from '@meterflow/stage';
import { setTimeout as pause } from 'node:timers/promises';

/** The machine's time, which a test moves ahead; who sleeps wakes when its time has come. */
export class AdvancingClock implements Clock {
  #aheadMs = 0;

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const untilMs = this.nowMs() + ms;
    for (let leftMs = ms; leftMs > 0 && signal?.aborted !== true; leftMs = untilMs - this.nowMs()) {
      await pause(Math.min(leftMs, 5));
    }
  }

  advance(ms: number): Promise<void> {
    this.#aheadMs += ms;
    return Promise.resolve();
  }
}
