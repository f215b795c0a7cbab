import { utcDayMs } from './calendar.ts';
import { readIso, timeOfDayMs, type Stamp } from './iso-stamp.ts';

const yearFirst = /^(\d{4})[/.](\d{1,2})[/.](\d{1,2})$/;
const monthFirst = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4})$/;
const monthNamed = /^([a-z]{3,9})\.? (\d{1,2}),? (\d{4})$/;
const dayFirstNamed = /^(\d{1,2}) ([a-z]{3,9})\.?,? (\d{4})$/;
const parts =
  /^(.*?\d{4}|\d{4}[/.]\d{1,2}[/.]\d{1,2})(?:,?[t ](\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d*)?)?)?(?: ?([ap])m)?(?: ?(z|utc|gmt|(?:gmt)?[+-]\d\d:?\d\d))?$/;
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * A stamp as people and spreadsheets write it: ISO, 2021/06/02, 6/4/2021 and 06-04-2021 with the month first, Jun 4, 2021
 * or 4 June 2021; with a time of 24 or 12 hours, or none.
 */
export function readLenient(text: string): Stamp | undefined {
  return readIso(text) ?? readLoose(text.trim().toLowerCase().replace(/\s+/g, ' '));
}

function readLoose(text: string): Stamp | undefined {
  const match = parts.exec(text);
  const day = dayOf(match?.[1] ?? '');
  if (match === null || Number.isNaN(day)) {
    return undefined;
  }
  const time = timeOfDayMs(String(hourOf(match[2] ?? '0', match[5])), match[3] ?? '0', match[4] ?? '0');
  const offset = offsetOf(match[6]);
  const ms = day + time - (offset ?? 0);
  return Number.isNaN(ms) ? undefined : { ms, isLocal: offset === undefined, offsetMs: offset ?? 0 };
}

function dayOf(text: string): number {
  const numbers = (match: RegExpExecArray | null, [year, month, day]: readonly [number, number, number]): number =>
    match === null ? NaN : utcDayMs(Number(match[year]), Number(match[month]), Number(match[day]));
  const named = (match: RegExpExecArray | null, [month, day]: readonly [number, number]): number =>
    match === null ? NaN : utcDayMs(Number(match[3]), monthOf(match[month] ?? ''), Number(match[day]));
  const days = [
    numbers(yearFirst.exec(text), [1, 2, 3]),
    numbers(monthFirst.exec(text), [3, 1, 2]),
    named(monthNamed.exec(text), [1, 2]),
    named(dayFirstNamed.exec(text), [2, 1]),
  ];
  return days.find((each) => !Number.isNaN(each)) ?? NaN;
}

/** From 1; 0 for what is no month. */
function monthOf(name: string): number {
  return months.indexOf(name.slice(0, 3)) + 1;
}

/** 12 am is midnight, 12 pm is noon. */
function hourOf(text: string, half: string | undefined): number {
  const hour = Number(text);
  if (half === undefined) {
    return hour;
  }
  return hour >= 1 && hour <= 12 ? (hour % 12) + (half === 'p' ? 12 : 0) : NaN;
}

/** Undefined for none. */
function offsetOf(text: string | undefined): number | undefined {
  const match = /([+-])(\d\d):?(\d\d)$/.exec(text ?? '');
  if (match === null) {
    return text === undefined ? undefined : 0;
  }
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000;
}
