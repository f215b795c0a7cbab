import { DrainingError, RefusedByPortError, type BackOff } from './back-off.ts';
import { FatalError, IntegrityError, OvertakenWorkError, PermanentError, TransientError } from './errors.ts';
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
    const attemptAt = async (attempted: readonly Work<Input>[]): Promise<void> => {
      await attempt(attempted);
      attempted.forEach(({ mark }) => {
        this.#context.unexpected.forget(mark);
      });
    };
    const [suspects, others] = [works.filter(isSuspect), works.filter((work) => !isSuspect(work))];
    const settled = others.length > 1 && (await this.#together(() => attemptAt(others)));
    let left = settled ? suspects : [...others, ...suspects];
    for (let times = 1; left.length > 0; times++) {
      const overtaken: Work<Input>[] = [];
      for (const work of left) {
        if ((await this.#alone(work, () => attemptAt([work]))) === 'overtaken') {
          overtaken.push(work);
        }
      }
      left = overtaken.length > 0 && (await this.#afterAWhile(overtaken, times)) ? overtaken : [];
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

  /** However long what it needs stays down. What another run overtook is not settled: it is for later. */
  async #alone(work: Work<Input>, attempt: () => Promise<void>): Promise<'settled' | 'overtaken'> {
    const deaths = work.claim.state === 'claimed' ? work.claim.deaths : 0;
    if (deaths >= this.#context.limits.poisonAttemptsMax) {
      await this.#dead(work, new PermanentError('poison', `${deaths} processes died while they handled it`));
      return 'settled';
    }
    for (let again = true; again;) {
      try {
        await attempt();
        return 'settled';
      } catch (error) {
        if (error instanceof OvertakenWorkError) {
          return 'overtaken';
        }
        again = await this.#failed(work, error as Error);
      }
    }
    return 'settled';
  }

  /**
   * Nothing is down, so what was overtaken is tried again here, after the others of its group, and a little later each time:
   * those that overtake each other come apart. False when the drain began: then it is given back.
   */
  async #afterAWhile(works: readonly Work<Input>[], times: number): Promise<boolean> {
    const { clock, signal, limits, progress, telemetry, stageName: stage } = this.#context;
    telemetry.count('stage_failures_total', works.length, { stage, class: 'overtaken' });
    await clock.sleep(Math.min(limits.backOffMsMax, limits.backOffMs * 2 ** (times - 1)), signal);
    progress.lastAtMs = clock.nowMs();
    if (signal.aborted) {
      await this.#options.settlement.giveBack(works, 0);
    }
    return !signal.aborted;
  }

  /** The class decides. True when it is to be tried again here and now; otherwise the message is settled or given back. */
  async #failed(work: Work<Input>, error: Error): Promise<boolean> {
    if (endsTheGroup(error)) {
      throw error;
    }
    if (error instanceof PermanentError) {
      await this.#dead(work, error);
      return false;
    }
    if (error instanceof RefusedByPortError) {
      await this.#keep(work, error);
      return false;
    }
    if (!(error instanceof TransientError)) {
      await this.#unexpected(work, error);
      return false;
    }
    const again = await this.#options.backOff.wait(error);
    if (!again) {
      await this.#options.settlement.giveBack([work], 0);
    }
    return again;
  }

  /**
   * A failure of no known class may pass, so it is tried again; but not here, where it would stand before others, ever
   * later, and not for ever: it would never leave the backlog, whose age starts more processes.
   */
  async #unexpected(work: Work<Input>, error: Error): Promise<void> {
    const { telemetry, stageName: stage, limits, unexpected, signal } = this.#context;
    const failures = unexpected.add(work.mark);
    telemetry.count('stage_failures_total', 1, { stage, class: 'unknown' });
    if (failures >= limits.unexpectedAttemptsMax) {
      const reason = `failed ${failures} times for a reason of no known class, the last time: ${error.message}`;
      await this.#dead(work, new IntegrityError('unexpected', reason, { cause: error }));
      return;
    }
    const delayMs = signal.aborted ? 0 : unexpected.delayMs(failures);
    const fields = { stage, failures, delayMs, error: error.message, stack: error.stack };
    telemetry.logger.error('failed for a reason of no known class; the message is tried again later', fields);
    await this.#options.settlement.giveBack([work], delayMs);
  }

  /** What not even the dead letters take is not lost: it comes again, ever later, until somebody mends that. */
  async #keep(work: Work<Input>, refusal: RefusedByPortError): Promise<void> {
    const { telemetry, stageName: stage, unexpected, signal } = this.#context;
    const delayMs = signal.aborted ? 0 : unexpected.delayMs(unexpected.add(work.mark));
    telemetry.count('stage_failures_total', 1, { stage, class: 'refused' });
    const fields = { stage, key: work.key, delayMs, error: refusal.message };
    telemetry.logger.error('the dead letters refuse a message for good; it is tried again later', fields);
    await this.#options.settlement.giveBack([work], delayMs);
  }

  async #dead(work: Work<Input>, error: PermanentError): Promise<void> {
    try {
      await this.#options.bury(work, error);
    } catch (refusal) {
      if (!(refusal instanceof RefusedByPortError)) {
        throw refusal;
      }
      await this.#keep(work, refusal);
      return;
    }
    this.#context.unexpected.forget(work.mark);
    await this.#options.settlement.ack([work], 'dead');
  }
}

function endsTheGroup(error: unknown): boolean {
  return error instanceof FatalError || error instanceof DrainingError;
}
