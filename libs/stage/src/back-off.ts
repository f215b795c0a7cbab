import type { GroupContext } from './group-context.ts';

/** The drain began while something was waited for: what is not settled is given back. */
export class DrainingError extends Error {
  override readonly name = 'DrainingError';
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
    telemetry.logger.warn('paused: what this stage needs is down', { stage, error: error.message });
    telemetry.count('stage_failures_total', 1, { stage, class: 'transient' });
    await clock.sleep(pause.begin(error, limits), signal);
    progress.lastAtMs = clock.nowMs();
    return !signal.aborted;
  }

  /** Repeats what must not fail (a dead letter) until it goes through; throws DrainingError when the drain begins first. */
  async until<Result>(call: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!(await this.wait(error as Error))) {
          throw new DrainingError('draining', { cause: error });
        }
      }
    }
  }
}
