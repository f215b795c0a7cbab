import {
  BatchBuilder,
  channelName,
  InvalidReadingError,
  isUnit,
  meterName,
  missingCode,
  parseDecimal,
  qualities,
  rawVersion,
  ReadingRow,
  readingsPerBatchMax,
  type ReadingBatch,
} from '@meterflow/readings';
import type { ExpectedReading } from '@meterflow/rule-sdk';
import type { ParameterValue } from './flow.ts';
import { RuleDeclarationError } from './rule-declaration.ts';
import { seriesCase, type SeriesTestCase } from './series-cases.ts';

export type RuleTestCase = ReadingTestCase | (TestHead & { readonly day: SeriesTestCase });

interface TestHead {
  readonly name: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

export interface ReadingTestCase extends TestHead {
  readonly batch: ReadingBatch;
  readonly expected: readonly ExpectedReading[];
}

/** The cases of one test file. */
export interface RuleTests {
  /** Name of the rule that they are about. */
  readonly rule: string;
  readonly cases: readonly RuleTestCase[];
}

const casesMax = 500;
const quarterMs = 900_000;
const firstMs = Date.UTC(2024, 0, 1);
/** A sample reading of which nothing is told. */
const ordinary: Readonly<
  Record<'start' | 'value' | 'minutes' | 'unit' | 'quality' | 'meter' | 'channel' | 'code', unknown>
> = {
  ...{ start: undefined, value: undefined, minutes: 15, unit: 'kWh', quality: 'measured' },
  ...{ meter: 'meter-1', channel: 'import', code: '' },
};
const expectable = ['value', 'quality', 'unit', 'method', 'reason', 'rejected'];

type Told = Readonly<Record<string, unknown>>;

/** Checks what a test file declares: anything at all may come. Throws {@link RuleDeclarationError}. */
export function ruleTests(told: unknown): RuleTests {
  const how =
    "export default testRule(rule, { 'what it shows': { readings: [{ value: 1 }], expect: [{ value: 1 }] } })";
  const { rule, cases } = isObject(told) ? told : {};
  const name = isObject(rule) ? rule['name'] : undefined;
  if (typeof name !== 'string' || !isObject(cases)) {
    throw new RuleDeclarationError(`a test file ends with ${how}`);
  }
  const entries = Object.entries(cases);
  if (entries.length > casesMax) {
    throw new RuleDeclarationError(`it has ${entries.length} cases; ${casesMax} are the most`);
  }
  return { rule: name, cases: entries.map(([title, each]) => testCase(title, each)) };
}

function testCase(name: string, told: unknown): RuleTestCase {
  const { parameters = {}, readings, expect: expected, values } = isObject(told) ? told : {};
  if (isObject(told) && values !== undefined) {
    return { name, parameters: parametersOf(name, parameters), day: seriesCase(name, told) };
  }
  if (!Array.isArray(readings) || readings.length === 0 || readings.length > readingsPerBatchMax) {
    throw new RuleDeclarationError(
      `"${name}": readings must be a list of 1 to ${readingsPerBatchMax}, like [{ value: 1 }]`,
    );
  }
  if (!Array.isArray(expected) || expected.length !== readings.length) {
    throw new RuleDeclarationError(
      `"${name}": expect must have one entry for each of the ${readings.length} readings, {} for any`,
    );
  }
  const fits = (each: unknown): boolean => isObject(each) && Object.keys(each).every((key) => expectable.includes(key));
  if (!expected.every(fits)) {
    throw new RuleDeclarationError(`"${name}": of a reading can be expected: ${expectable.join(', ')}`);
  }
  return {
    name,
    parameters: parametersOf(name, parameters),
    batch: sampleBatchOf(name, readings),
    expected: expected as ExpectedReading[],
  };
}

function parametersOf(name: string, told: unknown): TestHead['parameters'] {
  if (!isObject(told)) {
    throw new RuleDeclarationError(`"${name}": parameters must be an object, like { limit: 10 }`);
  }
  return Object.fromEntries(Object.entries(told)) as Record<string, ParameterValue>;
}

function sampleBatchOf(name: string, readings: readonly unknown[]): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.startMs = firstMs - quarterMs;
  readings.forEach((told, index) => {
    try {
      fill({ builder, row }, told);
      row.line = index + 1;
      builder.append(row);
    } catch (error) {
      if (error instanceof InvalidReadingError) {
        throw new RuleDeclarationError(`"${name}": reading ${index + 1}: ${error.message}`, { cause: error });
      }
      throw error;
    }
  });
  return builder.finish({ tenant: 'test', layer: 'raw', sourceId: 'test.1', acceptedAtMs: firstMs, activation: 0 });
}

interface Filling {
  readonly builder: BatchBuilder;
  readonly row: ReadingRow;
}

function fill({ builder, row }: Filling, told: unknown): void {
  const { start, value, minutes, unit, quality, ...texts } = { ...ordinary, ...(isObject(told) ? told : {}) };
  const startMs = start === undefined ? row.startMs + quarterMs : Date.parse(typeof start === 'string' ? start : '');
  if (typeof value !== 'number' || !Number.isSafeInteger(minutes) || Number.isNaN(startMs)) {
    throw new InvalidReadingError('invalid-value', 'value must be a number, start an ISO 8601 instant, minutes whole');
  }
  if (typeof unit !== 'string' || !isUnit(unit)) {
    throw new InvalidReadingError('invalid-unit', `there is no unit ${String(unit)}`);
  }
  const code = (qualities as readonly unknown[]).indexOf(quality);
  if (code < 0 || code === missingCode) {
    throw new InvalidReadingError('invalid-value', `there is no quality ${String(quality)}`);
  }
  row.series = builder.series(meterName(String(texts.meter)), channelName(String(texts.channel)));
  row.startMs = startMs;
  row.lengthMs = (minutes as number) * 60_000;
  const { integer, decimals } = parseDecimal(String(value));
  row.integer = integer;
  row.decimals = decimals;
  row.quality = code;
  row.unit = builder.text(unit);
  row.code = builder.text(String(texts.code));
  row.version = builder.version(rawVersion(0, firstMs));
}

function isObject(value: unknown): value is Told {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
