import { isIdentifier, registerChannelMark } from '@meterflow/readings';
import type { NumberParameter, ParameterDeclaration, TextParameter } from '@meterflow/rule-sdk';
import type { SeriesNeeds } from './flow.ts';

/** What a rule says of itself, as it came out of the sandbox and was checked. */
export interface RuleDeclaration {
  readonly name: string;
  readonly parameters: Readonly<Record<string, ParameterDeclaration>>;
  /** Globs of the channels it is made for; `*` alone where it names none. */
  readonly channels: readonly string[];
  /** What a rule with `onSeries` looks at; undefined for one with `onReading`. */
  readonly series?: SeriesNeeds;
}

/** Thrown when what a rule declares can't be used; says what to write instead. */
export class RuleDeclarationError extends Error {
  override readonly name = 'RuleDeclarationError';
}

const parametersMax = 50;
const channelPatternsMax = 50;
/** Other channels that a rule may read, and those that it may emit on. */
const otherChannelsMax = 10;
export const lookBackDaysMax = 366;
export const lookAheadDaysMax = 35;
const tagsNeededMax = 20;
const helpCharsMax = 500;
/** A table, as the load profile of a stock rule, is a parameter too. */
const textCharsMax = 32_768;
const ruleName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const parameterName = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;

export function isRuleName(text: string): boolean {
  return ruleName.test(text);
}

/** A channel, or a glob of channels: `*` stands for any characters. */
export function isChannelPattern(text: string): boolean {
  return isIdentifier(text);
}

/** Checks what code of a customer says it is: anything at all may come. Throws {@link RuleDeclarationError}. */
export function ruleDeclaration(told: unknown): RuleDeclaration {
  const rule = objectOf(
    told,
    'the default export',
    'export default defineRule({ name, onReading(reading, context) { … } })',
  );
  const name = rule['name'];
  if (typeof name !== 'string' || !isRuleName(name)) {
    throw new RuleDeclarationError(
      "name must be a text like 'cap-spikes': a-z, 0-9 and inner dashes, at most 63 of them",
    );
  }
  const isSeries = hasOnSeries(rule);
  const needs = objectOf(rule['needs'] ?? {}, 'needs', "needs: { channels: ['import*'] }");
  const parameters = parametersOf(rule['parameters'] ?? {});
  refuseUnknownNeeds(needs, isSeries);
  const channels = channelsOf(needs);
  return isSeries ? { name, parameters, channels, series: seriesNeeds(needs) } : { name, parameters, channels };
}

function hasOnSeries(rule: Readonly<Record<string, unknown>>): boolean {
  const [reading, series] = [rule['onReading'] === true, rule['onSeries'] === true];
  if (reading && series) {
    throw new RuleDeclarationError('it has both onReading and onSeries: a rule has one of them');
  }
  if (!reading && !series) {
    throw new RuleDeclarationError(
      'it has no function onReading: write onReading(reading, context) { … }, or onSeries(day, context) { … } for whole days',
    );
  }
  return series;
}

function parametersOf(told: unknown): RuleDeclaration['parameters'] {
  const entries = Object.entries(
    objectOf(told, 'parameters', "parameters: { limit: { type: 'number', default: 10 } }"),
  );
  if (entries.length > parametersMax) {
    throw new RuleDeclarationError(`it has ${entries.length} parameters; ${parametersMax} are the most`);
  }
  return Object.fromEntries(entries.map(([name, declared]) => [name, parameterOf(name, declared)]));
}

function parameterOf(name: string, told: unknown): ParameterDeclaration {
  if (!parameterName.test(name)) {
    throw new RuleDeclarationError(
      `a parameter can't be called ${JSON.stringify(name)}: use letters, digits and _, a letter first`,
    );
  }
  const declared = objectOf(told, `parameter ${name}`, `${name}: { type: 'number', default: 10, help: '…' }`);
  const { type } = declared;
  if (type !== 'number' && type !== 'string' && type !== 'boolean') {
    throw new RuleDeclarationError(`parameter ${name} must have type: 'number', 'string' or 'boolean'`);
  }
  const help = optionalText(declared, 'help', name);
  const parameter = { type, ...help, ...ownFacts(name, declared) } as ParameterDeclaration;
  const problem = parameter.default === undefined ? undefined : valueProblem(parameter, parameter.default);
  if (problem !== undefined) {
    throw new RuleDeclarationError(`the default of parameter ${name} ${problem}`);
  }
  return parameter;
}

function ownFacts(name: string, declared: Readonly<Record<string, unknown>>): object {
  const value = declared['default'] === undefined ? {} : { default: declared['default'] };
  if (declared['type'] === 'boolean') {
    return value;
  }
  if (declared['type'] === 'string') {
    const choices = declared['choices'];
    if (choices === undefined) {
      return value;
    }
    if (!isTexts(choices) || choices.length === 0) {
      throw new RuleDeclarationError(`choices of parameter ${name} must be a list of texts`);
    }
    return { ...value, choices };
  }
  return { ...value, ...rangeOf(name, declared), ...optionalText(declared, 'unit', name) };
}

function rangeOf(name: string, { min, max }: Readonly<Record<string, unknown>>): object {
  if (![min, max].every((bound) => bound === undefined || (typeof bound === 'number' && Number.isFinite(bound)))) {
    throw new RuleDeclarationError(`min and max of parameter ${name} must be numbers`);
  }
  if (typeof min === 'number' && typeof max === 'number' && min > max) {
    throw new RuleDeclarationError(`min of parameter ${name} is above its max`);
  }
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

/** What is wrong with a value for a parameter; undefined for one that fits. The words follow the parameter's name. */
export function valueProblem(declared: ParameterDeclaration, value: unknown): string | undefined {
  if (typeof value !== declared.type || Number.isNaN(value)) {
    const wanted = { number: 'a number', string: 'a text', boolean: 'true or false' }[declared.type];
    return `must be ${wanted}, not ${typeof value === 'number' ? value : JSON.stringify(value)}`;
  }
  switch (declared.type) {
    case 'number':
      return outOfRange(declared, value as number);
    case 'string':
      return noChoice(declared, value as string);
    case 'boolean':
      return undefined;
  }
}

function outOfRange(declared: NumberParameter, value: number): string | undefined {
  const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = declared;
  const unit = declared.unit === undefined ? '' : ` ${declared.unit}`;
  return value >= min && value <= max ? undefined : `must be ${rangeText(declared)}${unit}, not ${value}`;
}

function noChoice({ choices }: TextParameter, text: string): string | undefined {
  if (choices?.includes(text) === false) {
    return `must be one of ${choices.join(', ')}, not ${JSON.stringify(text.slice(0, 40))}`;
  }
  return text.length > textCharsMax ? `must have at most ${textCharsMax} characters` : undefined;
}

function rangeText({ min, max }: { readonly min?: number; readonly max?: number }): string {
  if (min !== undefined && max !== undefined) {
    return `between ${min} and ${max}`;
  }
  return min === undefined ? `at most ${max ?? Number.MAX_VALUE}` : `at least ${min}`;
}

const seriesNeedNames = ['channels', 'reads', 'emits', 'lookBackDays', 'lookAheadDays', 'tags'];

function refuseUnknownNeeds(needs: Readonly<Record<string, unknown>>, isSeries: boolean): void {
  const known = isSeries ? seriesNeedNames : ['channels'];
  const unknown = Object.keys(needs).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const told = isSeries
      ? `a rule with onSeries may need ${known.join(', ')}`
      : 'a rule with onReading sees one reading, and may need channels alone';
    throw new RuleDeclarationError(`needs has no ${JSON.stringify(unknown)}: ${told}`);
  }
}

function channelsOf({ channels = ['*'] }: Readonly<Record<string, unknown>>): readonly string[] {
  if (
    !isTexts(channels) ||
    channels.length === 0 ||
    channels.length > channelPatternsMax ||
    !channels.every(isChannelPattern)
  ) {
    throw new RuleDeclarationError("needs.channels must be a list of channels or globs, like ['import*']");
  }
  refuseRegisters(channels);
  return channels;
}

/** No reading has such a channel, and none may: its aggregates would be those of the register. */
function refuseRegisters(channels: readonly string[]): void {
  const register = channels.find((name) => name.includes(registerChannelMark));
  if (register !== undefined) {
    throw new RuleDeclarationError(
      `the channel ${register} stands for a register, which is computed: name one without ${registerChannelMark}`,
    );
  }
}

function seriesNeeds(needs: Readonly<Record<string, unknown>>): SeriesNeeds {
  const reads = channelNames('reads', needs['reads'] ?? []);
  const emits = channelNames('emits', needs['emits'] ?? []);
  refuseRegisters([...reads, ...emits]);
  if (new Set([...reads, ...emits]).size < reads.length + emits.length) {
    throw new RuleDeclarationError('needs.reads and needs.emits name a channel twice');
  }
  return {
    reads,
    emits,
    lookBackDays: daysOf('lookBackDays', needs['lookBackDays'] ?? 0, lookBackDaysMax),
    lookAheadDays: daysOf('lookAheadDays', needs['lookAheadDays'] ?? 0, lookAheadDaysMax),
    tags: tagNames(needs['tags'] ?? []),
  };
}

function channelNames(what: string, value: unknown): readonly string[] {
  const isName = (name: string): boolean => isIdentifier(name) && !name.includes('*');
  if (!isTexts(value) || value.length > otherChannelsMax || !value.every(isName)) {
    throw new RuleDeclarationError(
      `needs.${what} must be a list of at most ${otherChannelsMax} channels by name, like ['export']`,
    );
  }
  return value;
}

function daysOf(what: string, value: unknown, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
    throw new RuleDeclarationError(`needs.${what} must be a whole number of days from 0 to ${max}`);
  }
  return value;
}

function tagNames(value: unknown): readonly string[] {
  if (!isTexts(value) || value.length > tagsNeededMax || !value.every((name) => parameterName.test(name))) {
    throw new RuleDeclarationError(
      `needs.tags must be a list of at most ${tagsNeededMax} names, like ['dials', 'multiplier']`,
    );
  }
  return value;
}

function optionalText(declared: Readonly<Record<string, unknown>>, key: string, name: string): object {
  const text = declared[key];
  if (text === undefined) {
    return {};
  }
  if (typeof text !== 'string' || text.length > helpCharsMax) {
    throw new RuleDeclarationError(`${key} of parameter ${name} must be a text of at most ${helpCharsMax} characters`);
  }
  return { [key]: text };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function objectOf(value: unknown, what: string, example: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RuleDeclarationError(`${what} must be an object: ${example}`);
  }
  return value as Readonly<Record<string, unknown>>;
}
