import { calendarOf, dayMs, UnknownTimeZoneError } from '@meterflow/aggregates';
import {
  BatchBuilder,
  channelName,
  isUnit,
  meterName,
  missingCode,
  parseDecimal,
  qualities,
  rawVersion,
  ReadingRow,
  type ReadingColumns,
  type SeriesName,
} from '@meterflow/readings';
import type { ExpectedEmission, ExpectedReading } from '@meterflow/rule-sdk';
import type { ParameterValue } from './flow.ts';
import { localDays, type LocalDays } from './local-days.ts';
import { lookAheadDaysMax, lookBackDaysMax, RuleDeclarationError } from './rule-declaration.ts';
import { SeriesWindows } from './series-windows.ts';

/** A day to try a rule with `onSeries` on, checked. */
export interface SeriesTestCase {
  /** With the channels that a rule reads; `day` is the one to run. */
  readonly windows: (reads: readonly string[]) => SeriesWindows;
  readonly day: number;
  readonly series: SeriesName;
  /** One for each slot that is looked at; '' where it must be a gap. */
  readonly slots: readonly (ExpectedReading | 'gap')[];
  readonly registers: readonly ExpectedReading[] | undefined;
  readonly emitted: readonly ExpectedEmission[] | undefined;
}

type Told = Readonly<Record<string, unknown>>;
type Values = readonly (number | null)[];

const ordinary = {
  ...{ date: '2024-01-01', timeZone: 'UTC', minutes: 15, closed: true, meter: 'meter-1', channel: 'import' },
  ...{ unit: 'kWh', quality: 'measured', earlier: [], later: [], others: {}, registers: [], tags: {} },
};

/** Checks what a test file says of a day: anything at all may come. Throws {@link RuleDeclarationError}. */
export function seriesCase(name: string, told: Told): SeriesTestCase {
  const refuse = (what: string): never => {
    throw new RuleDeclarationError(`"${name}": ${what}`);
  };
  const given = { ...ordinary, ...told } as typeof ordinary & Told;
  const values = isValues(given['values']) ? given['values'] : refuse('values must be a list like [1, null, 3]');
  const earlier = isDays(given.earlier, lookBackDaysMax) ? given.earlier : refuse('earlier must be a list of values');
  const later = isDays(given.later, lookAheadDaysMax) ? given.later : refuse('later must be a list of values');
  const others = Object.values(given.others).every(isValues)
    ? (given.others as Record<string, Values>)
    : refuse('others must name values by channel');
  const { minutes, unit, quality } = given;
  const qualityCode = (qualities as readonly unknown[]).indexOf(quality);
  if (!Number.isInteger(minutes) || minutes < 1 || !isUnit(unit) || qualityCode < 0 || qualityCode === missingCode) {
    refuse('minutes must be whole, unit and quality ones that there are');
  }
  const backDays = lookBackDaysMax;
  const days = daysAround(given, { backDays, refuse });
  const series = { meter: meterName(given.meter), channel: channelName(given.channel) };
  const at = (day: number, list: Values): DayValues => ({ startMs: days.startMs[backDays + day] as number, list });
  const own = [
    ...earlier.map((list, before) => at(-before - 1, list)).reverse(),
    at(0, values),
    ...later.map((list, after) => at(after + 1, list)),
  ];
  const registers = registersOf(given.registers, series.channel, refuse);
  const raw = (channel: string, lists: readonly DayValues[]): ReadingColumns =>
    sampleColumns({ meter: series.meter, channel }, lists, {
      ...{ unit, qualityCode, lengthMs: minutes * 60_000 },
      registers: registers.filter((each) => each.channel === channel),
    });
  const intervalMs = values.length === 0 ? undefined : minutes * 60_000;
  const facts = {
    ...{ tenant: 'test', series, days, unit, activation: 0 },
    tagsAt: () => given.tags as Readonly<Record<string, ParameterValue>>,
    closedThroughMs: given.closed ? (days.startMs.at(-1) as number) : 0,
  };
  const windows = (reads: readonly string[]): SeriesWindows =>
    new SeriesWindows(
      facts,
      { channel: series.channel, intervalMsAt: () => intervalMs, columns: [raw(series.channel, own)] },
      reads.map((channel) => ({
        channel,
        intervalMsAt: () => intervalMs,
        columns: [raw(channel, others[channel] === undefined ? [] : [at(0, others[channel])])],
      })),
    );
  return { windows, day: backDays, series, ...expectations(given, values.length, refuse) };
}

function expectations(
  told: Told,
  values: number,
  refuse: (what: string) => never,
): Pick<SeriesTestCase, 'slots' | 'registers' | 'emitted'> {
  const { expect, expectRegisters, emitted } = told;
  if (!Array.isArray(expect) || expect.length !== values) {
    return refuse(`expect must have one entry for each of the ${values} values, {} for any, null for a gap`);
  }
  const slots = expect.map((each: unknown) =>
    typeof each === 'number' ? { value: each } : each === null ? 'gap' : (each as ExpectedReading),
  );
  return {
    slots,
    registers: expectRegisters === undefined ? undefined : (expectRegisters as ExpectedReading[]),
    emitted: emitted === undefined ? undefined : (emitted as ExpectedEmission[]),
  };
}

function daysAround(
  { date, timeZone }: { readonly date: unknown; readonly timeZone: unknown },
  { backDays, refuse }: { readonly backDays: number; readonly refuse: (what: string) => never },
): LocalDays {
  const day = Date.parse(`${String(date)}T00:00:00Z`) / dayMs;
  if (!Number.isInteger(day)) {
    return refuse('date must be like 2024-03-31');
  }
  try {
    return localDays(calendarOf(String(timeZone)), day - backDays, backDays + lookAheadDaysMax + 1);
  } catch (error) {
    return error instanceof UnknownTimeZoneError ? refuse(error.message) : refuse(String(error));
  }
}

interface DayValues {
  readonly startMs: number;
  readonly list: Values;
}

interface Register {
  readonly channel: string;
  readonly startMs: number;
  readonly value: number;
}

function registersOf(told: unknown, own: string, refuse: (what: string) => never): readonly Register[] {
  if (!Array.isArray(told)) {
    return refuse("registers must be a list like [{ start: '2024-01-01T00:00Z', value: 17 }]");
  }
  return told
    .map((each: unknown) => {
      const { start, value, channel = own } = Object(each) as Told;
      const startMs = Date.parse(String(start));
      if (typeof value !== 'number' || Number.isNaN(startMs)) {
        return refuse('a register reading has a value, and a start in ISO 8601');
      }
      return { channel: String(channel), startMs, value };
    })
    .sort((a, b) => a.startMs - b.startMs);
}

function sampleColumns(
  { meter, channel }: SeriesName,
  days: readonly DayValues[],
  told: {
    readonly unit: string;
    readonly qualityCode: number;
    readonly lengthMs: number;
    readonly registers: readonly Register[];
  },
): ReadingColumns {
  const rows = [
    ...days.flatMap(({ startMs, list }) =>
      list.flatMap((value, index) =>
        value === null ? [] : [{ startMs: startMs + index * told.lengthMs, lengthMs: told.lengthMs, value }],
      ),
    ),
    ...told.registers.map(({ startMs, value }) => ({ startMs, lengthMs: 0, value })),
  ].sort((a, b) => a.startMs - b.startMs);
  const builder = new BatchBuilder(Math.max(1, rows.length));
  const row = new ReadingRow();
  row.series = builder.series(meter, channel);
  row.unit = builder.text(told.unit);
  row.quality = told.qualityCode;
  row.version = builder.version(rawVersion(0, 1));
  for (const { startMs, lengthMs, value } of rows) {
    const { integer, decimals } = parseDecimal(String(value));
    Object.assign(row, { startMs, lengthMs, integer, decimals });
    builder.append(row);
  }
  return builder.finish({ tenant: 'test', layer: 'raw', sourceId: '', acceptedAtMs: 1, activation: 0 }).columns;
}

function isValues(told: unknown): told is Values {
  return Array.isArray(told) && told.length <= 4_000 && told.every((value) => value === null || Number.isFinite(value));
}

function isDays(told: unknown, daysMax: number): told is readonly Values[] {
  return Array.isArray(told) && told.length <= daysMax && told.every(isValues);
}
