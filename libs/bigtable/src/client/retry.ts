import { TransientError, type Clock } from '@meterflow/stage';

export interface RetryLimits {
  readonly attemptsMax: number;
  /** First wait; doubled each time, up to the greatest; each is shortened at random by up to a half. */
  readonly backOffMs: number;
  readonly backOffMsMax: number;
}

/** Few and short: beyond them the stage itself pauses, and its messages stay leased. */
export const retryLimits: RetryLimits = { attemptsMax: 4, backOffMs: 50, backOffMsMax: 1_000 };

export interface RetryPorts {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly limits: RetryLimits;
}

/** Tries again what failed for now; the last failure is the caller's. */
export async function withRetries<Result>(
  { clock, random, limits }: RetryPorts,
  work: (attempt: number) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!(error instanceof TransientError) || attempt >= limits.attemptsMax) {
        throw error;
      }
    }
    const waitMs = Math.min(limits.backOffMsMax, limits.backOffMs * 2 ** (attempt - 1));
    await clock.sleep(waitMs * (1 - random() / 2));
  }
}
