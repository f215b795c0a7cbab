import { DrainingError, type BackOff } from './back-off.ts';
import { FatalError, PermanentError, TransientError } from './errors.ts';
import type { GroupContext } from './group-context.ts';
import type { Settlement } from './settlement.ts';
import { isSuspect, type Work } from './work.ts';

export interface RetriesOptions<Input> {
  readonly backOff: BackOff;
  readonly settlement: Settlement;
  /** Makes the message a dead letter. */
  readonly bury: (work: Work<Input>, error: PermanentError) => Promise<void>;
}

/** Decides by the class of a failure what becomes of the works: again, alone, given back, or a dead letter. */
export class Retries<Input> {
  readonly #context: GroupContext;
  readonly #options: RetriesOptions<Input>;

  constructor(context: GroupContext, options: RetriesOptions<Input>) {
    this.#context = context;
    this.#options = options;
  }

  /**
   * Settles all the works by attempts at them: together, and where that fails one by one. What may be poison goes
   * alone from the start. Throws what is fatal, and DrainingError.
   */
  async settle(
    works: readonly Work<Input>[],
    attempt: (works: readonly Work<Input>[]) => Promise<void>,
  ): Promise<void> {
    const [suspects, others] = [works.filter(isSuspect), works.filter((work) => !isSuspect(work))];
    const failed = others.length > 0 && !(await this.#together(() => attempt(others)));
    for (const work of failed ? [...others, ...suspects] : suspects) {
      await this.#alone(work, () => attempt([work]));
    }
  }

  async #together(attempt: () => Promise<void>): Promise<boolean> {
    try {
      await attempt();
      return true;
    } catch (error) {
      if (endsTheGroup(error)) {
        throw error;
      }
      return false;
    }
  }

  /** However long what it needs stays down. */
  async #alone(work: Work<Input>, attempt: () => Promise<void>): Promise<void> {
    const deaths = work.claim.state === 'claimed' ? work.claim.deaths : 0;
    if (deaths >= this.#context.limits.poisonAttemptsMax) {
      await this.#dead(work, new PermanentError('poison', `${deaths} processes died while they handled it`));
      return;
    }
    for (;;) {
      try {
        await attempt();
        return;
      } catch (error) {
        if (error instanceof PermanentError) {
          await this.#dead(work, error);
          return;
        }
        if (!(await this.#mayRetry(error as Error))) {
          await this.#giveBack(work);
          return;
        }
      }
    }
  }

  /**
   * After a transient failure: true once the back-off is over, false when the drain began. A failure of no known class
   * is not waited for here, so that it stands before nobody else: its message is given back with a delay.
   */
  async #mayRetry(error: Error): Promise<boolean> {
    if (error instanceof TransientError) {
      return this.#options.backOff.wait(error);
    }
    if (endsTheGroup(error)) {
      throw error;
    }
    const { telemetry, stageName: stage } = this.#context;
    const fields = { stage, error: error.message, stack: error.stack };
    telemetry.logger.error('failed for a reason of no known class; the message is tried again later', fields);
    telemetry.count('stage_failures_total', 1, { stage, class: 'unknown' });
    return false;
  }

  async #dead(work: Work<Input>, error: PermanentError): Promise<void> {
    await this.#options.bury(work, error);
    await this.#options.settlement.ack([work], 'dead');
  }

  async #giveBack(work: Work<Input>): Promise<void> {
    const { signal, limits } = this.#context;
    await this.#options.settlement.giveBack([work], signal.aborted ? 0 : limits.backOffMsMax);
  }
}

function endsTheGroup(error: unknown): boolean {
  return error instanceof FatalError || error instanceof DrainingError;
}
