import type { ReadingBatch } from '@meterflow/readings';
import type { Flow } from './flow.ts';

/**
 * What a flow did to a batch, in columns as long as the batch. A bit of `changes` says which of the other columns hold
 * something new for that reading; where it is 0 the reading passes as it came.
 */
export interface FlowResult {
  readonly changes: Uint8Array;
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  /** Indexes into `texts`. */
  readonly unit: Uint16Array;
  readonly method: Uint16Array;
  readonly reason: Uint16Array;
  readonly texts: readonly string[];
}

export const change = { value: 1, quality: 2, unit: 4, method: 8, reason: 16, rejected: 32 } as const;

/** Thrown when a rule threw, ran out of time or memory, or returned nonsense. Names rule, version and reading. */
export class RuleFailureError extends Error {
  override readonly name = 'RuleFailureError';
  readonly code: 'rule-threw' | 'rule-timed-out' | 'rule-killed-its-host' | 'rule-returned-nonsense' | 'rule-invalid';

  constructor(code: RuleFailureError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Runs flows where they can harm nobody. */
export interface Sandbox {
  /**
   * Runs the flow's `onReading` rules over the batch. Called from several groups at once, for several tenants. Throws
   * {@link RuleFailureError} for what the rule did; any other rejection is transient (the child was respawned).
   */
  run(flow: Flow, batch: ReadingBatch): Promise<FlowResult>;
  /** Ends the children. */
  close(): Promise<void>;
}
