import { dayMs, utcDayMs } from './calendar.ts';

/** A stamp as text, taken apart: a time in UTC, or one on the clocks of the mapping's zone. */
export interface Stamp {
  readonly ms: number;
  readonly isLocal: boolean;
  /** What the stamp says that its clock is ahead of UTC; 0 where it says nothing. */
  readonly offsetMs: number;
}

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?(Z|[+-]\d\d(?::?\d\d)?))?)?$/i;

export function readIso(text: string): Stamp | undefined {
  const match = isoPattern.exec(text);
  if (match === null) {
    return undefined;
  }
  const day = utcDayMs(Number(match[1]), Number(match[2]), Number(match[3]));
  const time = timeOfDayMs(match[4] ?? '0', match[5] ?? '0', match[6] ?? '0');
  const fraction = fractionMs(match[7] ?? '');
  const offset = offsetMs(match[8]);
  const ms = day + time + fraction - (offset ?? 0);
  return Number.isNaN(ms) || time + fraction > dayMs
    ? undefined
    : { ms, isLocal: offset === undefined, offsetMs: offset ?? 0 };
}

/** NaN unless it is a time of day, or 24:00:00, the end of the day. */
export function timeOfDayMs(hour: string, minute: string, second: string): number {
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  const ms = (h * 3_600 + m * 60 + s) * 1_000;
  return m <= 59 && s <= 59 && ms <= dayMs ? ms : NaN;
}

/** NaN for what is finer than a millisecond. */
export function fractionMs(digits: string): number {
  return /^0*$/.test(digits.slice(3)) ? Number(digits.slice(0, 3).padEnd(3, '0')) : NaN;
}

/** Undefined for none; NaN for one that no clock has. */
function offsetMs(text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  if (/^z$/i.test(text)) {
    return 0;
  }
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(':', '') || '0');
  const ms = (hours * 60 + minutes) * 60_000;
  return hours <= 18 && minutes <= 59 ? (text.startsWith('-') ? -ms : ms) : NaN;
}
