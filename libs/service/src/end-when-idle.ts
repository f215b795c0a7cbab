import type { Lifecycle } from '@meterflow/graceful-shutdown';
import type { StageProgress } from '@meterflow/stage';
import { ConfigurationError } from './configuration-error.ts';

interface EndWhenIdleOptions {
  readonly idleMs: number;
  readonly drainMs: number;
  /** Of all stages of the process: it is idle when each of them is. */
  readonly progresses: readonly StageProgress[];
}

const lookEveryMs = 1_000;

/**
 * A worker that a Job runs ends itself, as on SIGTERM, when there was nothing for it for so long: nobody outside can know
 * that it is not in the middle of work. A subscription that can't be reached is not one with nothing on it.
 */
export function endWhenIdle(lifecycle: Lifecycle, { idleMs, drainMs, progresses }: EndWhenIdleOptions): void {
  if (progresses.length === 0) {
    throw new ConfigurationError('This service has no subscription: it never knows that it is idle.');
  }
  const looking = setInterval(() => {
    if (progresses.every((progress) => progress.idleMs >= idleMs)) {
      void lifecycle.drain({ deadlineMs: drainMs, reason: `nothing to do for ${idleMs} ms` });
    }
  }, lookEveryMs);
  lifecycle.register('idle watch', () => {
    clearInterval(looking);
  });
}
