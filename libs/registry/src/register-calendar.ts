import { dayKinds, type DayKind, type RegisterPlan, type RegisterSwitch } from '@meterflow/aggregates';
import { identifierCharsMax, registerChannelMark } from '@meterflow/readings';
import { z } from 'zod';

const hourMs = 3_600_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;

export const calendarsPerTenantMax = 50;
const holidaysMax = 2_000;
const periodsMax = 200;
const switchesMax = 96;
const registersMax = 16;
/** Short, so that channels of up to 38 characters have registers: a channel has 64 at the most. */
const nameCharsMax = 12;

const shortName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?$/, `not 1 to ${nameCharsMax} of a-z, 0-9 and inner -`);
export const calendarNameSchema = shortName;
const time = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'not a time of the clock like 06:00');
const date = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/, 'not a local date like 2024-12-25')
  .refine(isDate, 'there is no such date');

/** False for 30 February, which JavaScript takes for a day of March. */
function isDate(text: string): boolean {
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}

/** From which time of the clock on which register counts, until the next one of the day. */
const switches = z
  .record(time, shortName)
  .refine((all) => '00:00' in all, 'a day begins with what counts from "00:00" on')
  .refine((all) => Object.keys(all).length <= switchesMax, `more than ${switchesMax} switches a day`);
const period = z
  .strictObject({
    from: date.describe('local date from which this holds, until the next period'),
    weekday: switches,
    weekend: switches.optional().describe('Saturdays and Sundays that are not told by themselves'),
    saturday: switches.optional(),
    sunday: switches.optional(),
    holiday: switches.optional().describe('as a Sunday unless told'),
  })
  .refine((all) => all.weekend !== undefined || (all.saturday !== undefined && all.sunday !== undefined), {
    message: 'tells no weekend',
  });

const shiftedDays = z.strictObject({
  dayStartsAt: time.describe('days, months and years begin then, by the clock: 06:00 for a gas day'),
});
const registers = z.strictObject({
  holidays: z.array(date).max(holidaysMax).default([]),
  periods: z
    .array(period)
    .min(1)
    .max(periodsMax)
    .refine((all) => all.every(({ from }, index) => index === 0 || (all[index - 1]?.from ?? '') < from), {
      message: 'not in ascending order',
    }),
});

/** What a tenant says of one calendar: days that begin at another time, or registers that take turns within the day. */
const anyCalendar = z.union([shiftedDays, registers]);
export type CalendarDefinition = z.infer<typeof anyCalendar>;
export const calendarSchema = anyCalendar.refine(
  (calendar) => registerNames(calendar).length <= registersMax,
  `more than ${registersMax} registers`,
);
type Period = z.infer<typeof period>;

/**
 * The channel that the aggregates of a register are stored under: `import@gas-day`, `import@tariff.peak`. Undefined where
 * it would be longer than a channel may be.
 */
export function registerChannel(channel: string, calendar: string, register: string): string | undefined {
  const name = `${channel}${registerChannelMark}${calendar}${register === '' ? '' : `.${register}`}`;
  return name.length <= identifierCharsMax ? name : undefined;
}

/** What {@link registerChannel} named; undefined for any other channel. */
export function registerOfChannel(
  channel: string,
): { readonly channel: string; readonly calendar: string; readonly register: string } | undefined {
  const mark = channel.lastIndexOf(registerChannelMark);
  if (mark <= 0) {
    return undefined;
  }
  const [calendar = '', register = ''] = channel.slice(mark + 1).split('.');
  return { channel: channel.slice(0, mark), calendar, register };
}

/** The names of its registers, each once, in order; '' is the one that takes whole days. */
export function registerNames(calendar: CalendarDefinition): readonly string[] {
  if ('dayStartsAt' in calendar) {
    return [''];
  }
  const named = calendar.periods.flatMap((each) =>
    [each.weekday, each.weekend, each.saturday, each.sunday, each.holiday].flatMap((all) => Object.values(all ?? {})),
  );
  return [...new Set(named)].sort();
}

/** As aggregation works with it. */
export function registerPlan(calendar: CalendarDefinition): RegisterPlan {
  const names = registerNames(calendar);
  if ('dayStartsAt' in calendar) {
    return { dayStartsAtMs: timeMs(calendar.dayStartsAt), registers: names, periods: [], holidays: new Set() };
  }
  return {
    dayStartsAtMs: 0,
    registers: names,
    periods: calendar.periods.map((each) => ({
      fromDay: dayOfDate(each.from),
      switches: Object.fromEntries(dayKinds.map((kind) => [kind, switchesOf(each, kind, names)])) as Record<
        DayKind,
        readonly RegisterSwitch[]
      >,
    })),
    holidays: new Set(calendar.holidays.map(dayOfDate)),
  };
}

function switchesOf(period: Period, kind: DayKind, names: readonly string[]): readonly RegisterSwitch[] {
  const { weekday, weekend = weekday, saturday = weekend, sunday = weekend, holiday = sunday } = period;
  return Object.entries({ weekday, saturday, sunday, holiday }[kind])
    .map(([at, name]) => ({ atMs: timeMs(at), register: names.indexOf(name) }))
    .sort((a, b) => a.atMs - b.atMs);
}

function timeMs(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * hourMs + minutes * minuteMs;
}

function dayOfDate(text: string): number {
  return Date.parse(`${text}T00:00:00Z`) / dayMs;
}
