/** Work in steps, each of bounded length: between two of them others may have their turn. Nothing is done unless it is walked. */
export type Steps<Result = void> = Generator<undefined, Result, undefined>;

/** Does all of it at one go. */
export function atOneGo<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return step.value;
    }
  }
}
