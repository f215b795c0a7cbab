import type { ReadingBatch } from '@meterflow/readings';
import type { Flow } from './flow.ts';
import type { DayResult, SeriesRun } from './series-run.ts';

/** What may have become of one reading: the bits of {@link FlowResult.changes}. */
export const change = { value: 1, quality: 2, unit: 4, method: 8, reason: 16, rejected: 32, failed: 64 } as const;

/**
 * What a flow did to a batch, in columns as long as the batch. The bits of `changes` say which of the other columns
 * hold something new for that reading; where they are 0 the reading passes as it came. `any` is all of them together: a
 * column whose bit is not in it holds nothing and need not be looked at.
 */
export interface FlowResult {
  readonly any: number;
  readonly changes: Uint8Array;
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  /** Indexes into `texts`. */
  readonly unit: Uint16Array;
  readonly method: Uint16Array;
  /** Indexes into `texts`: what the rule annotated, why it rejected, or `rule-failed:<code>` where it failed. */
  readonly reason: Uint16Array;
  /** The batch's own texts, then those that the rules brought in. */
  readonly texts: readonly string[];
  /** The first failures of single readings, in full. Every failed reading has its bit in `changes`. */
  readonly failures: readonly RuleFailure[];
}

/** `rule-invalid`: it can't be loaded with these parameters. `rule-killed-its-host`: it took all memory, or crashed. */
export const ruleFailureCodes = [
  'rule-invalid',
  'rule-threw',
  'rule-returned-nonsense',
  'rule-timed-out',
  'rule-killed-its-host',
] as const;
export type RuleFailureCode = (typeof ruleFailureCodes)[number];

/** One reading on which a rule failed; its neighbours went on. */
export interface RuleFailure {
  readonly index: number;
  readonly code: RuleFailureCode;
  /** Names rule, version and reading. */
  readonly message: string;
}

/** The reason that a reading shows where a flow's policy stands in for a failed rule. */
export function failureReason(code: RuleFailureCode): string {
  return `rule-failed:${code}`;
}

/**
 * Thrown when a rule failed on a whole batch: it can't be loaded, ran out of time or memory, or is in quarantine for
 * that. Names the rule and its version. The flow's policy decides what becomes of the batch.
 */
export class RuleFailureError extends Error {
  override readonly name = 'RuleFailureError';
  readonly code: RuleFailureCode;

  constructor(code: RuleFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Runs flows where they can harm nobody. */
export interface Sandbox {
  /**
   * Runs the flow's `onReading` rules, in their order, over every reading of the batch that has a value. Called from
   * several groups at once, for several tenants. A rule that throws or returns nonsense fails that reading alone (what
   * becomes of a reading must not depend on its neighbours in the batch) and is told in the result. Throws
   * {@link RuleFailureError} for what fails the whole batch; any other rejection is transient.
   */
  run(flow: Flow, batch: ReadingBatch): Promise<FlowResult>;
  /**
   * Runs all the flow's rules over local days of a series, each as if it were run alone: those with `onReading` over each
   * of its readings with a value, those with `onSeries` over the day. One of the latter that throws or returns nonsense
   * fails the day as a whole, unless its severity leaves it out; the other days go on. Resolves with what became of
   * each day, also where that is the same failure for all; any rejection is transient.
   */
  runSeries(flow: Flow, run: SeriesRun): Promise<readonly DayResult[]>;
  /** Ends what it runs in; resolves when no process of it is left. Runs that still wait are rejected. */
  close(): Promise<void>;
}
