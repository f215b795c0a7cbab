import { watch, type FSWatcher } from 'node:fs';
import type { Clock } from '@meterflow/stage';

/** How often a waiting receiver looks for messages when it has reason to: somebody writes, or the wait is short. */
const busyPollMs = 4;
const busyForMs = 200;
/** How often where the system can't tell of writes. */
const unwatchedPollMs = 20;
/** How often for what seldom comes (retried messages, leases that others gave back), and in case a write was missed. */
const idlePollMs = 500;
/** A wait as short as this is not worth watching for. */
const shortWaitMs = 50;

export interface Pause {
  /** Not beyond the end of the wait, and not beyond the time when something is due. */
  readonly untilMs: number;
  readonly dueAtMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits for commits to a SQLite file. The system tells of writes to the file's log; that is before the commit can be
 * seen, so that for a while after it one looks often. Closed while messages come anyway.
 */
export class CommitWait {
  readonly #file: string;
  readonly #clock: Clock;
  #watcher: FSWatcher | 'none' | undefined;
  #busyUntilMs = 0;
  #woken = new AbortController();

  constructor(databaseFile: string, clock: Clock) {
    this.#file = `${databaseFile}-wal`;
    this.#clock = clock;
  }

  /** Ends the pause that is on. */
  readonly wake = (): void => {
    this.#woken.abort();
  };

  /** Resolves when it is worth looking again. */
  async pause({ untilMs, dueAtMs, signal }: Pause): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const waitMs = Math.min(untilMs, dueAtMs) - nowMs;
    const pollMs = nowMs < this.#busyUntilMs || waitMs <= shortWaitMs ? busyPollMs : this.#quietPollMs(nowMs);
    signal.addEventListener('abort', this.wake);
    await this.#clock.sleep(Math.min(pollMs, waitMs), this.#woken.signal);
    signal.removeEventListener('abort', this.wake);
    if (this.#woken.signal.aborted) {
      this.#woken = new AbortController();
      this.#busyUntilMs = this.#clock.nowMs() + busyForMs;
    }
  }

  close(): void {
    if (this.#watcher !== 'none') {
      this.#watcher?.close();
      this.#watcher = undefined;
    }
  }

  #quietPollMs(nowMs: number): number {
    if (this.#watcher === undefined) {
      this.#watcher = this.#watch();
      // A commit may be under way whose write came before, and which can't be seen yet.
      this.#busyUntilMs = nowMs + busyForMs;
      return busyPollMs;
    }
    return this.#watcher === 'none' ? unwatchedPollMs : idlePollMs;
  }

  #watch(): FSWatcher | 'none' {
    try {
      const watcher = watch(this.#file, { persistent: false }, this.wake);
      watcher.on('error', () => {
        this.#watcher = 'none';
      });
      return watcher;
    } catch {
      // Not on this file system, or too many watches: then by looking alone.
      return 'none';
    }
  }
}
