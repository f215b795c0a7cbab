import type { Cause } from '@meterflow/readings';

/** `dead`: no retry of ours mends it. `parked`: a flow's policy halted it until an operator resumes the flow. */
export type DeadLetterState = 'dead' | 'parked';

export interface DeadLetter {
  /** Stage and key: the same failure twice is one dead letter. */
  readonly id: string;
  readonly state: DeadLetterState;
  readonly stage: string;
  readonly subscription: string;
  readonly key: string;
  /** Empty where the message could not be decoded. */
  readonly tenant: string;
  readonly reasonCode: string;
  readonly reason: string;
  readonly payload: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
  readonly atMs: number;
  /** The accepted batches whose receipts wait for this message, and the ledger layers that now will not come. */
  readonly causes: readonly Cause[];
  readonly layers: readonly string[];
}

/** Where a stage puts what it can't handle. */
export interface DeadLetterSink {
  /**
   * Resolves when all are durable, with a ledger row of that state for each cause and layer. An id already there is
   * replaced, but not one that was purged: that stays so.
   */
  put(letters: readonly DeadLetter[]): Promise<void>;
}
