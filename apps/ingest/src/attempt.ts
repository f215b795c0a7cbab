import { TransientError, type Clock, type Telemetry } from '@meterflow/stage';

const retryMs = 100;

/** Thrown when the process drains while a source comes in. The same source sent again resumes it. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** What waits for a bus or store that is down. */
export interface Patience {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Aborts when the process drains: the source stays unfinished and is resumed by its next delivery. */
  readonly signal: AbortSignal;
  /** How long is waited; without end when not told. */
  readonly patienceMs?: number;
}

/** Repeats what the bus or a store could not take now; stops when the process drains, or patience is at its end. */
export async function attempt<Result>(
  { clock, signal, telemetry, patienceMs = Infinity }: Patience,
  call: () => Promise<Result>,
): Promise<Result> {
  const untilMs = clock.nowMs() + patienceMs;
  for (let waitMs = retryMs; ; waitMs = Math.min(10_000, waitMs * 2)) {
    if (signal.aborted) {
      throw new InterruptedError('the server stops; send the same source again to resume it');
    }
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof TransientError) || clock.nowMs() + waitMs > untilMs) {
        throw error;
      }
      telemetry.logger.warn('intake waits for the bus or a store', { error: error.message, waitMs });
      await clock.sleep(waitMs, signal);
    }
  }
}
