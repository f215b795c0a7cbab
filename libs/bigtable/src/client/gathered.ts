/** What one call asks for at most; all further goes in the next. */
export interface GatheredLimits<Asked> {
  readonly weightMax: number;
  readonly weightOf: (asked: Asked) => number;
}

interface Waiting<Asked, Answer> {
  readonly asked: Asked;
  readonly answer: PromiseWithResolvers<Answer>;
}

/**
 * Asks for many with one call: what comes in while the caller's own code still runs goes together. A call of its own for
 * each would cost the client, and the service, more than what is read.
 */
export class Gathered<Asked, Answer> {
  readonly #call: (asked: readonly Asked[]) => Promise<readonly Answer[]>;
  readonly #limits: GatheredLimits<Asked>;
  #waiting: Waiting<Asked, Answer>[] = [];

  /** `call` gives an answer for each, in order. */
  constructor(call: (asked: readonly Asked[]) => Promise<readonly Answer[]>, limits: GatheredLimits<Asked>) {
    this.#call = call;
    this.#limits = limits;
  }

  ask(asked: Asked): Promise<Answer> {
    if (this.#waiting.length === 0) {
      queueMicrotask(() => {
        this.#send();
      });
    }
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.push({ asked, answer });
    return answer.promise;
  }

  #send(): void {
    const { weightMax, weightOf } = this.#limits;
    let together: Waiting<Asked, Answer>[] = [];
    let weight = 0;
    for (const waiting of this.#waiting.splice(0)) {
      const own = weightOf(waiting.asked);
      if (together.length > 0 && weight + own > weightMax) {
        void this.#answer(together);
        together = [];
        weight = 0;
      }
      together.push(waiting);
      weight += own;
    }
    void this.#answer(together);
  }

  /** Never rejects: each hears how it went. */
  async #answer(together: readonly Waiting<Asked, Answer>[]): Promise<void> {
    try {
      const answers = await this.#call(together.map(({ asked }) => asked));
      answers.forEach((answer, index) => {
        together[index]?.answer.resolve(answer);
      });
    } catch (error) {
      together.forEach(({ answer }) => {
        answer.reject(error);
      });
    }
  }
}
