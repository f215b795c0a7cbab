export interface Repeated {
  /** Resolves when the work does not run and never will again. */
  stop(): Promise<void>;
}

/** Does work every so often, never twice at once: what takes longer than the interval skips its next turns. */
export function repeated(work: () => Promise<unknown>, everyMs: number): Repeated {
  let running: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    running ??= work().finally(() => (running = undefined));
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
