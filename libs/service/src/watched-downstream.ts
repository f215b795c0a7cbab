import type { Clock, Downstream } from '@meterflow/stage';
import type { Waiting } from './platform.ts';

export interface WatchedDownstreamOptions {
  readonly subscriptions: readonly string[];
  /** What waits on them. May reject: then nobody is held back. */
  readonly backlogs: (subscriptions: readonly string[]) => Promise<readonly Waiting[]>;
  readonly clock: Clock;
}

/** What waits longer is too much: well above what a restart or a rollout of the stage that follows takes. */
export const downstreamAgeMsMax = 30_000;
/** How long an answer is believed. */
const believedMs = 1_000;

/** Is behind when on any of the subscriptions the oldest message waits too long. */
export class WatchedDownstream implements Downstream {
  readonly #options: WatchedDownstreamOptions;
  #look: { readonly atMs: number; readonly isBehind: Promise<boolean> } | undefined;

  constructor(options: WatchedDownstreamOptions) {
    this.#options = options;
  }

  isBehind(): Promise<boolean> {
    const nowMs = this.#options.clock.nowMs();
    // The absolute: a clock that is set back must not keep a look for ever.
    if (this.#look === undefined || Math.abs(nowMs - this.#look.atMs) >= believedMs) {
      this.#look = { atMs: nowMs, isBehind: this.#ask(nowMs) };
    }
    return this.#look.isBehind;
  }

  async #ask(nowMs: number): Promise<boolean> {
    const { subscriptions, backlogs } = this.#options;
    try {
      return (await backlogs(subscriptions)).some(
        ({ subscription, oldestPublishedAtMs = nowMs }) =>
          subscriptions.includes(subscription) && nowMs - oldestPublishedAtMs > downstreamAgeMsMax,
      );
    } catch {
      return false;
    }
  }
}
