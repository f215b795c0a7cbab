/** What of many reads is answered at once. */
export interface ReadAnswers<Request, Answer> {
  /** One answer for each request, in their order. Where it throws, each is answered for itself. */
  together(requests: readonly Request[]): readonly Answer[];
  alone(request: Request): Answer;
}

interface Waiting<Request, Answer> {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Gathers what is asked for within one turn of the event loop and answers it together: of live push a stage reads a day or
 * two of each of thousands of series, and asking the database for each would cost more than what is read.
 */
export class GatheredReads<Request, Answer> {
  readonly #answers: ReadAnswers<Request, Answer>;
  #waiting: Waiting<Request, Answer>[] = [];

  constructor(answers: ReadAnswers<Request, Answer>) {
    this.#answers = answers;
  }

  /** Rejects for a failure of this read alone: another one's is no matter. */
  read(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ request, resolve, reject }) === 1) {
        queueMicrotask(() => {
          this.#answer();
        });
      }
    });
  }

  #answer(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 1) {
      try {
        const answers = this.#answers.together(waiting.map(({ request }) => request));
        waiting.forEach(({ resolve }, index) => {
          resolve(answers[index] as Answer);
        });
        return;
      } catch {
        // Whose failure it was shows below.
      }
    }
    for (const { request, resolve, reject } of waiting) {
      try {
        resolve(this.#answers.alone(request));
      } catch (error) {
        reject(error as Error);
      }
    }
  }
}
