export interface ReplayRequest {
  readonly subscription: string;
  /** Everything kept that was published at or after this time comes again. What came a little before it may as well. */
  readonly fromMs: number;
}

/** Called by an operator's command, beside running stages. */
export interface Replay {
  /**
   * Delivers once more under a new epoch, which is raised first; what waits is not lost. Resolves when it has begun. A
   * call that died on the way is simply made again.
   */
  replay(request: ReplayRequest): Promise<void>;
}
