// What a rule is written against: one file without imports, so that `meterflow rules init` can lay it beside a rule, and
// the compiler can check a rule against it. Whatever changes here in a way that a rule could notice is a new contract.

/**
 * The contract that this file is. A rule version records the lowest one that has all it uses, and runs by it for ever:
 * 1 has `onReading`, 2 has `onSeries` beside it, 3 what is tagged with `@contract 3`.
 */
export const sdkContract = 3;

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

/** What a rule with `onReading` can't do without. */
export interface RuleNeeds {
  /** Channels that it is made for, globs with `*`: it can be activated for no others. */
  readonly channels?: readonly string[];
}

/** What a fact that the registry holds of a series may be. */
export type TagValue = string | number | boolean;
export type Tags = Readonly<Record<string, TagValue | undefined>>;

/** What a rule with `onSeries` can't do without. Nothing else can be reached. */
export interface SeriesNeeds extends RuleNeeds {
  /** Other channels of the same meter that it reads, by name: a change of theirs runs it again. At most 10. */
  readonly reads?: readonly string[];
  /** Channels of the same meter that it makes readings on, by name. No other rule may do so, and none is one of its own. At most 10. */
  readonly emits?: readonly string[];
  /** How many local days before and after the day it looks at; 0 when not given, at most 366 before and 35 after. */
  readonly lookBackDays?: number;
  readonly lookAheadDays?: number;
  /** Names of the facts that it reads of the series' registry: `dials`, `multiplier` … At most 20. */
  readonly tags?: readonly string[];
}

/** A reading as it came, of whatever day or channel. A slot without one is a gap: its value is undefined. */
export interface RawSlot {
  /** Milliseconds since 1970, UTC; a register reading ends when it starts. */
  readonly startMs: number;
  readonly endMs: number;
  /** Minutes since midnight by the clock on the wall: 120 to 179 are there twice where the clock goes back at three. */
  readonly minuteOfDay: number;
  readonly value: number | undefined;
  readonly quality: Quality | 'missing';
  /** '' for a gap. */
  readonly unit: string;
}

/** A local day of a channel as it came, before any rule. */
export interface RawDay {
  /** `2024-03-31`. */
  readonly date: string;
  /** 1 is Monday, 7 Sunday. */
  readonly weekday: number;
  readonly startMs: number;
  readonly endMs: number;
  /** One for each interval of the day, in order: 96 quarters of an hour, 92 or 100 where the clock changes. */
  readonly slots: readonly RawSlot[];
  /** Register readings of [startMs, endMs), in order. */
  readonly registers: readonly RawSlot[];
  /**
   * The values of all slots, in order, NaN for a gap. What looks at numbers alone is several times as fast on them as on
   * slots. The column is your own; asked for again, it is filled again.
   * @contract 3
   */
  values(): Float64Array;
}

/** A reading of the day that a rule is at. It changes it in place; what it leaves alone stays exactly as it came. */
export interface DayReading extends Omit<RawSlot, 'value' | 'quality' | 'unit'> {
  /** A number below 2^53; undefined in a gap, which can only be filled. A changed value is rounded to the activation's decimals. */
  // eslint-disable-next-line @typescript-eslint/related-getter-setter-pairs -- a gap has none, and none can be set
  get value(): number | undefined;
  set value(value: number);
  /** 'missing' in a gap, and can't be set to that. */
  // eslint-disable-next-line @typescript-eslint/related-getter-setter-pairs -- as the value
  get quality(): Quality | 'missing';
  set quality(quality: Quality);
  unit: string;
  /** The source's own quality code. */
  readonly code: string;
  /** How the value came about, at most 200 characters. */
  method: string;
  /** What was noted last, by this rule or an earlier one. */
  readonly reason: string;
  /** Notes a reason beside the value, at most 200 characters. The last one counts. Nothing is noted of a gap. */
  annotate(reason: string): void;
  /** Refuses the reading: it becomes an absence with this reason, a gap for later rules that they can't fill. */
  reject(reason: string): void;
}

/** How a gap is filled. */
export interface Filling {
  /** 'estimated' when not given. */
  readonly quality?: Quality;
  readonly method?: string;
  readonly reason?: string;
  /** The day's unit when not given. */
  readonly unit?: string;
}

/** One interval of the day. */
export interface Slot extends DayReading {
  /**
   * Gives a gap a value. Only what is missing in a closed day is filled: in a day that is not closed, or where a
   * reading was refused, nothing happens and the answer is false. Throws for a slot that has a value.
   */
  fill(value: number, how?: Filling): boolean;
}

/** A reading that a rule makes on another channel. It starts within the day. */
export interface Emission {
  readonly startMs: number;
  /** One interval of the day later when not given; `startMs` makes a register reading. */
  readonly endMs?: number;
  readonly value: number;
  /** 'calculated' when not given. */
  readonly quality?: Quality;
  readonly method?: string;
  readonly reason?: string;
  /** The day's unit when not given. */
  readonly unit?: string;
}

/** A local day of a series: what `onSeries` is called with. */
export interface SeriesDay extends Omit<RawDay, 'slots' | 'registers' | 'values'> {
  readonly meter: string;
  readonly channel: string;
  /** The registered unit, or that of most readings around. '' where neither is known. */
  readonly unit: string;
  /** Length of a slot; 0, and no slots, where none is registered and no reading around tells it. */
  readonly intervalMs: number;
  /** The end of the day is past for so long that no more readings are waited for. */
  readonly closed: boolean;
  /** One for each interval of the day, in order, as earlier rules left it. */
  readonly slots: readonly Slot[];
  /** Register readings of the day, in order, as earlier rules left them. */
  readonly registers: readonly DayReading[];
  /** The day so many days before, as it came. Throws beyond `lookBackDays`. */
  earlier(days: number): RawDay;
  /** The day so many days after, as it came. Throws beyond `lookAheadDays`. */
  later(days: number): RawDay;
  /** A channel of the same meter as it came: on this day, or so many days later (-7: a week before). Throws for one that `reads` does not name. */
  other(channel: string, daysLater?: number): RawDay;
  /**
   * The values of all slots, in order, as they stand now, NaN for a gap. The column is your own; asked for again, it is
   * filled again. To change a reading, set its slot.
   * @contract 3
   */
  values(): Float64Array;
  /** Makes a reading on a channel that `emits` names. One for each start and length; later rules do not see it. */
  emit(channel: string, emission: Emission): void;
}

export interface SeriesContext<
  Declared extends ParameterDeclarations = ParameterDeclarations,
> extends RuleContext<Declared> {
  /** The tags that `needs` names, as the registry has them for the series; undefined where it has none. */
  readonly tags: Tags;
}

/** A rule that sees one reading after the other, in the stream. */
export interface ReadingRule<Declared extends ParameterDeclarations = ParameterDeclarations> {
  /** a-z, 0-9 and inner dashes, at most 63 characters. Versions of one name follow each other. */
  readonly name: string;
  readonly parameters?: Declared;
  readonly needs?: RuleNeeds;
  /**
   * Called for every reading with a value, in no particular order: it must not remember one for the next. There is no
   * clock (the time is the reading's), no randomness and no I/O. Returns nothing.
   */
  onReading(reading: Reading, context: RuleContext<Declared>): void;
  readonly onSeries?: never;
}

/** A rule that sees a whole day of a series with the days around it, once they are stored. */
export interface SeriesRule<Declared extends ParameterDeclarations = ParameterDeclarations> {
  readonly name: string;
  readonly parameters?: Declared;
  readonly needs?: SeriesNeeds;
  /**
   * Called for a day whenever something that it may look at has changed, and when the day is closed; what it gave
   * before is replaced. As `onReading` it has no clock, no randomness, no I/O, and must remember nothing.
   */
  onSeries(day: SeriesDay, context: SeriesContext<Declared>): void;
  readonly onReading?: never;
}

/** A rule has exactly one of `onReading` and `onSeries`. */
export type RuleDefinition<Declared extends ParameterDeclarations = ParameterDeclarations> =
  ReadingRule<Declared> | SeriesRule<Declared>;

/** What a rule has that declares none. */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- not any parameters: none
export type NoParameters = Readonly<Record<never, ParameterDeclaration>>;

/** Declares a rule: `export default defineRule({ name, onReading(reading, context) { … } })`, or `onSeries(day, context)`. */
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
  readonly values?: never;
  /** One for each reading. */
  readonly expect: readonly ExpectedReading[];
}

/** The values of a day from midnight on, `null` for a gap; what is not named of the day is a gap as well. */
export type SampleValues = readonly (number | null)[];

export interface SampleRegister {
  /** ISO 8601, of any day that the rule looks at. */
  readonly start: string;
  readonly value: number;
  /** The case's own channel when not given. */
  readonly channel?: string;
}

/** What must have become of a slot: its value alone, `null` for a gap, or all that is to be looked at. */
export type ExpectedSlot = number | null | ExpectedReading;

export interface ExpectedEmission extends ExpectedReading {
  readonly channel: string;
  /** ISO 8601. */
  readonly start: string;
}

/** A day to try a rule with `onSeries` on. */
export interface SeriesCase<Declared extends ParameterDeclarations = ParameterDeclarations> {
  readonly parameters?: GivenParameters<Declared>;
  readonly tags?: Readonly<Record<string, TagValue>>;
  readonly values: SampleValues;
  readonly readings?: never;
  /** 2024-01-01, a Monday, when not given. */
  readonly date?: string;
  /** UTC when not given. */
  readonly timeZone?: string;
  /** 15 when not given. */
  readonly minutes?: number;
  /** True when not given. */
  readonly closed?: boolean;
  readonly meter?: string;
  readonly channel?: string;
  readonly unit?: string;
  readonly quality?: Quality;
  /** The days before, yesterday first, and those after, tomorrow first. */
  readonly earlier?: readonly SampleValues[];
  readonly later?: readonly SampleValues[];
  /** Other channels on the day. */
  readonly others?: Readonly<Record<string, SampleValues>>;
  readonly registers?: readonly SampleRegister[];
  /** One for each of `values`. */
  readonly expect: readonly ExpectedSlot[];
  /** One for each register reading of the day on the case's own channel; not looked at when not given. */
  readonly expectRegisters?: readonly ExpectedReading[];
  /** All readings that it must have emitted, by channel and start; not looked at when not given. */
  readonly emitted?: readonly ExpectedEmission[];
}

/** Cases of one rule; run in the sandbox that the rule will run in. */
export interface RuleTest<Declared extends ParameterDeclarations = ParameterDeclarations> {
  readonly rule: RuleDefinition<Declared>;
  readonly cases: Readonly<Record<string, RuleCase<Declared> | SeriesCase<Declared>>>;
}

/**
 * Declares tests, by what they show: `export default testRule(rule, { 'a spike is flagged': { readings, expect } })`, or
 * `{ 'a gap is filled': { values: [1, null, 3], expect: [1, 2, 3] } }` for a rule with `onSeries`.
 */
export function testRule<Declared extends ParameterDeclarations>(
  rule: RuleDefinition<Declared>,
  cases: Readonly<Record<string, RuleCase<NoInfer<Declared>> | SeriesCase<NoInfer<Declared>>>>,
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
