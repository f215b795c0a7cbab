import type { LeasedMessage } from '@meterflow/stage';
import type { Fault } from './fault.ts';

/** What one process does with its messages. */
export interface Watch {
  handled(work: readonly { readonly key: string; readonly message: LeasedMessage }[]): void;
  gaveBack(messages: readonly LeasedMessage[]): void;
  /** Its commit was refused, since another process was faster: as the stage's contract has it. */
  overtaken(): void;
}

/** What a run's handlings are held against. */
export interface Allowances {
  readonly faults: readonly Fault[];
  /** How often facts were delivered anew on purpose. */
  readonly replays: number;
  readonly isDead: (stage: string, key: string) => boolean;
}

/** Counts how often each fact was handled by each stage, and holds it against what befell the stage. */
export class Handlings {
  readonly #handled = new Map<string, Map<string, number>>();
  /** Processes that ended without being asked to, by stage. */
  readonly #deaths = new Map<string, number>();
  /** Messages that a process had handled and gave back all the same, by stage. */
  readonly #givenBack = new Map<string, number>();
  readonly #overtakings = new Map<string, number>();

  watch(stage: string): Watch {
    const mine = new Set<LeasedMessage>();
    return {
      handled: (work) => {
        const counts = this.#handled.get(stage) ?? new Map<string, number>();
        this.#handled.set(stage, counts);
        for (const { key, message } of work) {
          mine.add(message);
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
      },
      gaveBack: (messages) => {
        const count = messages.filter((message) => mine.has(message)).length;
        this.#givenBack.set(stage, (this.#givenBack.get(stage) ?? 0) + count);
      },
      overtaken: () => {
        this.#overtakings.set(stage, (this.#overtakings.get(stage) ?? 0) + 1);
      },
    };
  }

  died(stage: string): void {
    this.#deaths.set(stage, (this.#deaths.get(stage) ?? 0) + 1);
  }

  /**
   * A fact may be handled once, and twice more for each thing that befell the stage (a death, a stall, a call that
   * failed, a commit that another process was faster than): its group again, and then message by message. A drain is nothing that befalls it. A dead-lettered fact is
   * never marked done, so that each copy of it is handled that a fault before the stage has made.
   */
  breaches({ faults, replays, isDead }: Allowances): readonly string[] {
    const failuresOf = (stage: string): number =>
      (this.#deaths.get(stage) ?? 0) +
      (this.#overtakings.get(stage) ?? 0) +
      faults.filter((fault) => fault.stage === stage && isFailure(fault)).length;
    const often = [...this.#handled].flatMap(([stage, counts]) => {
      const handlingsMax = (1 + replays) * (1 + 2 * failuresOf(stage));
      return [...counts]
        .filter(([key, count]) => count > handlingsMax * (isDead(stage, key) ? 1 + 2 * faults.length : 1))
        .map(([key, count]) => `${stage} handled ${key} ${count} times; ${handlingsMax} are allowed for`);
    });
    const twice = [...this.#givenBack]
      .filter(([stage, count]) => count > 0 && failuresOf(stage) === 0)
      .map(([stage, count]) => `${stage} gave ${count} messages back that it had handled`);
    return [...often, ...twice];
  }
}

/** Deaths are counted as they come. */
function isFailure({ kind }: Fault): boolean {
  return kind === 'stall' || kind === 'refused' || kind === 'unanswered';
}
