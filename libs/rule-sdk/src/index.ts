// What a rule is written against: one file without imports, so that `meterflow rules init` can lay it beside a rule, and
// the compiler can check a rule against it. Whatever changes here in a way that a rule could notice is a new contract.

/** The contract that this file is. A rule version records the one that it was checked against, and runs by it for ever. */
export const sdkContract = 1;

/** A number that whoever activates the rule may set. Without a default it must be given. */
export interface NumberParameter {
  readonly type: 'number';
  readonly default?: number;
  /** The smallest and the largest value that may be given. */
  readonly min?: number;
  readonly max?: number;
  /** Shown beside the value: `kWh`, `%`. */
  readonly unit?: string;
  /** One sentence for whoever sets it. */
  readonly help?: string;
}

export interface TextParameter {
  readonly type: 'string';
  readonly default?: string;
  /** The only values that may be given. */
  readonly choices?: readonly string[];
  readonly help?: string;
}

export interface SwitchParameter {
  readonly type: 'boolean';
  readonly default?: boolean;
  readonly help?: string;
}

export type ParameterDeclaration = NumberParameter | TextParameter | SwitchParameter;
export type ParameterDeclarations = Readonly<Record<string, ParameterDeclaration>>;

/** The values that a rule gets for what it declares: always there, of the declared type and within the declared range. */
export type ParametersOf<Declared extends ParameterDeclarations> = {
  readonly [Name in keyof Declared]: Declared[Name] extends NumberParameter
    ? number
    : Declared[Name] extends TextParameter
      ? string
      : boolean;
};

/** The values that may be set: those with a default can be left out. */
export type GivenParameters<Declared extends ParameterDeclarations> = Partial<ParametersOf<Declared>>;

export type Quality = 'measured' | 'estimated' | 'substituted' | 'calculated';

/** One reading. A rule changes it in place; what it leaves alone stays exactly as it came. */
export interface Reading {
  readonly meter: string;
  readonly channel: string;
  /** Milliseconds since 1970, UTC; a register reading ends when it starts. */
  readonly startMs: number;
  readonly endMs: number;
  /** A number below 2^53. A changed value is rounded to the activation's decimals. */
  value: number;
  quality: Quality;
  /** `kWh`, `Wh`, `m3` …; setting it converts nothing. */
  unit: string;
  /** The source's own quality code. */
  readonly code: string;
  /** How the value came about, at most 200 characters. */
  method: string;
  /** Notes a reason beside the value, at most 200 characters. The last one counts. */
  annotate(reason: string): void;
  /** Refuses the reading: it becomes an absence with this reason, and no later rule sees it. */
  reject(reason: string): void;
}

export interface RuleContext<Declared extends ParameterDeclarations = ParameterDeclarations> {
  readonly parameters: ParametersOf<Declared>;
}

/** What a rule can't do without. */
export interface RuleNeeds {
  /** Channels that it is made for, globs with `*`: it can be activated for no others. */
  readonly channels?: readonly string[];
}

export interface RuleDefinition<Declared extends ParameterDeclarations = ParameterDeclarations> {
  /** a-z, 0-9 and inner dashes, at most 63 characters. Versions of one name follow each other. */
  readonly name: string;
  readonly parameters?: Declared;
  readonly needs?: RuleNeeds;
  /**
   * Called for every reading with a value, in no particular order: it must not remember one for the next. There is no
   * clock (the time is the reading's), no randomness and no I/O. Returns nothing.
   */
  onReading(reading: Reading, context: RuleContext<Declared>): void;
}

/** What a rule has that declares none. */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- not any parameters: none
export type NoParameters = Readonly<Record<never, ParameterDeclaration>>;

/** Declares a rule: `export default defineRule({ name, onReading(reading, context) { … } })`. */
export function defineRule<const Declared extends ParameterDeclarations = NoParameters>(
  definition: RuleDefinition<Declared>,
): RuleDefinition<Declared> {
  return definition;
}

/** A reading to try a rule on. What is not given is that of a meter `meter-1`: quarter-hours of 2024-01-01, in kWh. */
export interface SampleReading {
  readonly value: number;
  readonly meter?: string;
  readonly channel?: string;
  /** ISO 8601; a quarter of an hour after the one before when not given. */
  readonly start?: string;
  readonly minutes?: number;
  readonly quality?: Quality;
  readonly unit?: string;
  readonly code?: string;
}

/** What must have become of a sample reading; what is not named is not looked at. */
export interface ExpectedReading {
  readonly value?: number;
  readonly quality?: Quality;
  readonly unit?: string;
  readonly method?: string;
  /** What was noted; '' for nothing. */
  readonly reason?: string;
  /** Why it was refused. */
  readonly rejected?: string;
}

export interface RuleCase<Declared extends ParameterDeclarations = ParameterDeclarations> {
  readonly parameters?: GivenParameters<Declared>;
  readonly readings: readonly SampleReading[];
  /** One for each reading. */
  readonly expect: readonly ExpectedReading[];
}

/** Cases of one rule; run in the sandbox that the rule will run in. */
export interface RuleTest<Declared extends ParameterDeclarations = ParameterDeclarations> {
  readonly rule: RuleDefinition<Declared>;
  readonly cases: Readonly<Record<string, RuleCase<Declared>>>;
}

/** Declares tests, by what they show: `export default testRule(rule, { 'a spike is flagged': { readings, expect } })`. */
export function testRule<Declared extends ParameterDeclarations>(
  rule: RuleDefinition<Declared>,
  cases: Readonly<Record<string, RuleCase<NoInfer<Declared>>>>,
): RuleTest<Declared> {
  return { rule, cases };
}

/** Sample readings of these values, one after the other; `common` holds for each of them. */
export function sampleReadings(
  values: readonly number[],
  common: Omit<SampleReading, 'value' | 'start'> = {},
): SampleReading[] {
  return values.map((value) => ({ ...common, value }));
}
