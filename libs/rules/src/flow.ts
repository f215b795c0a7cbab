import { sdkContract } from '@meterflow/rule-sdk';
import type { MeterShare } from './meter-share.ts';

/** What becomes of a batch when one of a flow's rules fails on it. */
export const failurePolicies = ['retry', 'skip', 'reject', 'halt'] as const;
export type FailurePolicy = (typeof failurePolicies)[number];

/** The newest rule-sdk contract that this build runs. */
export const ruleContract = sdkContract;

/** What a rule with `onSeries` looks at, of the meter that its day is of. */
export interface SeriesNeeds {
  /** Other channels that it reads, and those that it makes readings on, by name. */
  readonly reads: readonly string[];
  readonly emits: readonly string[];
  readonly lookBackDays: number;
  readonly lookAheadDays: number;
  /** Names of the registry's facts on the series. */
  readonly tags: readonly string[];
}

export type ParameterValue = number | string | boolean;

/**
 * The lowest contract that has all a rule uses: an upgrade that adds to the SDK makes no new version of what was there.
 * `used`: the newest contract of what it uses of days and readings.
 */
export function ruleContractOf(series: SeriesNeeds | undefined, used = 1): number {
  return Math.max(series === undefined ? 1 : 2, used);
}

/** One immutable version of a rule. `id` is the SHA-256 of what it was made of, hexadecimal. */
export interface RuleVersion {
  readonly id: string;
  readonly name: string;
  /** The rule-sdk contract it was written for. */
  readonly contract: number;
  /** JavaScript, an ES module with `export default defineRule({ name, onReading(reading, context) {…} })`. */
  readonly source: string;
  /** There for a rule with `onSeries` alone: its flow is a series flow. */
  readonly series?: SeriesNeeds;
  /** For each line of `source` where it comes from, `file:line`, or ''; absent where its lines are the file's own. */
  readonly lines?: readonly string[];
}

/**
 * What a failure of a step on a reading (for a rule with `onSeries`: on a day) means. `info`: the step is left out for
 * it, which is counted and told. `issue`: so it is, and the reading notes it. `terminate`: no later step sees it, and
 * the flow's policy decides.
 */
export const severities = ['info', 'issue', 'terminate'] as const;
export type Severity = (typeof severities)[number];

export interface FlowStep {
  readonly rule: RuleVersion;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** Channels it applies to: a glob with `*`. */
  readonly channels: string;
  /** `terminate` where there is none. */
  readonly severity?: Severity;
  /** The meters it applies to; all where absent. A batch with meters in and out of it is still one activation's. */
  readonly share?: MeterShare;
}

/** A tenant's ordered rules. Later rules see what earlier ones did. */
export interface Flow {
  readonly name: string;
  readonly steps: readonly FlowStep[];
  readonly onFailure: FailurePolicy;
}

/**
 * A numbered, immutable snapshot of a tenant's flows and of the settings that change values. For a reading at time t
 * the highest activation whose span [fromMs, toMs) contains t counts.
 */
export interface Activation {
  readonly number: number;
  readonly tenant: string;
  readonly flow: Flow;
  readonly fromMs: number;
  readonly toMs: number;
  readonly createdAtMs: number;
  /** Who made it, and why; absent where nobody was asked. */
  readonly author?: string;
  readonly why?: string;
  /** Decimals that a changed value is rounded to, half to even. */
  readonly decimals: number;
}
