import { PermanentError } from './errors.ts';
import type { GroupContext } from './group-context.ts';

/** The drain began while something was waited for: what is not settled is given back. */
export class DrainingError extends Error {
  override readonly name = 'DrainingError';
}

/** What had to go through was refused for good: no waiting mends that, and what it was for must not be lost. */
export class RefusedByPortError extends Error {
  override readonly name = 'RefusedByPortError';
}

/** Waits while a sink, the bus or the dead letters are down. */
export class BackOff {
  readonly #context: GroupContext;

  constructor(context: GroupContext) {
    this.#context = context;
  }

  /**
   * Pauses receiving and waits; false when the drain began. Throws what is fatal. Waiting on purpose is progress:
   * liveness must not restart what a sink holds up.
   */
  async wait(error: Error): Promise<boolean> {
    const { stageName: stage, clock, telemetry, signal, limits, pause, progress } = this.#context;
    telemetry.logger.warn('paused: can not go on now, and tries again', { stage, error: error.message });
    telemetry.count('stage_failures_total', 1, { stage, class: 'transient' });
    await clock.sleep(pause.begin(error, limits), signal);
    progress.lastAtMs = clock.nowMs();
    return !signal.aborted;
  }

  /**
   * Repeats what must not fail (a dead letter) until it goes through; throws DrainingError when the drain begins first, and
   * RefusedByPortError when it never will.
   */
  async until<Result>(call: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (error instanceof PermanentError) {
          throw new RefusedByPortError(error.message, { cause: error });
        }
        if (!(await this.wait(error as Error))) {
          throw new DrainingError('draining', { cause: error });
        }
      }
    }
  }
}
