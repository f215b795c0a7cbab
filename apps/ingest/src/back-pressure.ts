import { subscriptionName, subscriptionsByTopic } from '@meterflow/contracts';
import { Problem } from '@meterflow/http';
import { backlogCacheMs, backlogRetryAfterSeconds } from './limits.ts';

/** What one subscription has not settled yet. */
export interface Backlog {
  readonly subscription: string;
  readonly bytes: number;
  readonly oldestPublishedAtMs: number | undefined;
}

export interface BackPressureOptions {
  /** Of every subscription. Called at most once in {@link backlogCacheMs}, and then shared. */
  readonly backlogs: () => Promise<readonly Backlog[]>;
  readonly nowMs: () => number;
  readonly backlogBytesMax: number;
  readonly backlogAgeMsMax: number;
}

/**
 * Stages whose work is a customer's: their flows may be slow, and that must not keep anybody's readings out; and ingest's own
 * topic: what waits there stands beside a push, not before it. Nor does a reading pass where closed days are told.
 */
const unwatched: readonly string[] = ['ingest', 'series-flows', 'days-due', 'days-closed'];
/** The stages that a reading passes. What another listener has not read (a second sink) stops nobody. */
export const watchedSubscriptions: readonly string[] = Object.values(subscriptionsByTopic)
  .flat()
  .filter((subscription) => !unwatched.includes(subscription))
  .map((subscription) => subscriptionName(subscription, 'live'));
const watched = new Set(watchedSubscriptions);

/** Refuses pushes while the stages of the live lane are behind: what waits at the sender is not lost, only not taken. */
export class BackPressure {
  readonly #options: BackPressureOptions;
  #look: { readonly atMs: number; readonly backlogs: Promise<readonly Backlog[]> } | undefined;

  constructor(options: BackPressureOptions) {
    this.#options = options;
  }

  /** Throws Problem `overloaded`. */
  async check(): Promise<void> {
    const { nowMs, backlogBytesMax, backlogAgeMsMax } = this.#options;
    for (const { subscription, bytes, oldestPublishedAtMs } of await this.#backlogs()) {
      const ageMs = oldestPublishedAtMs === undefined ? 0 : nowMs() - oldestPublishedAtMs;
      if (watched.has(subscription) && (bytes > backlogBytesMax || ageMs > backlogAgeMsMax)) {
        const behind = `${subscription} is behind: ${bytes} bytes, the oldest ${Math.round(ageMs / 1_000)} s old`;
        throw new Problem('overloaded', behind, { retryAfterSeconds: backlogRetryAfterSeconds });
      }
    }
  }

  #backlogs(): Promise<readonly Backlog[]> {
    const nowMs = this.#options.nowMs();
    // The absolute: a clock that is set back must not keep a look for ever.
    if (this.#look === undefined || Math.abs(nowMs - this.#look.atMs) >= backlogCacheMs) {
      const look = { atMs: nowMs, backlogs: this.#options.backlogs() };
      look.backlogs.catch(() => {
        this.#look = undefined;
      });
      this.#look = look;
    }
    return this.#look.backlogs;
  }
}
