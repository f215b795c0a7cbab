/** The time, and waiting. Tests hand in one that they move themselves. */
export interface Clock {
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
