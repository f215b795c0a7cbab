import { dayMs, utcDayMs } from './calendar.ts';
import { readLenient } from './lenient-stamp.ts';
import type { FoldProgress, LocalClock } from './local-clock.ts';
import { isNamedStampFormat, stampPattern, type StampPattern } from './stamp-format.ts';

/** A stamp as text, taken apart: a time in UTC, or one on the clocks of the mapping's zone. */
export interface Stamp {
  readonly ms: number;
  readonly isLocal: boolean;
  /** What the stamp says that its clock is ahead of UTC; 0 where it says nothing. */
  readonly offsetMs: number;
}

export type StampReader = (text: string) => Stamp | undefined;

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?(Z|[+-]\d\d(?::?\d\d)?))?)?$/i;
const epochPattern = /^\d{1,13}(?:\.(\d{1,9}))?$/;

/** A reader of stamps in the mapping's format; it gives undefined for what is no stamp. */
export function stampReader(format: string): StampReader {
  if (!isNamedStampFormat(format)) {
    const pattern = stampPattern(format);
    if (pattern === undefined) {
      throw new TypeError(`${format} is not a format of stamps`);
    }
    return (text) => readPattern(text, pattern);
  }
  switch (format) {
    case 'iso':
      return readIso;
    case 'epoch-seconds':
      return (text) => readEpoch(text, 1_000);
    case 'lenient':
      return readLenient;
    case 'epoch-milliseconds':
      return (text) => readEpoch(text, 1);
  }
}

/** The instant that a stamp names; NaN where the clocks skip it. */
export function instantOf(stamp: Stamp, clock: LocalClock, fold: { progress: FoldProgress; lengthMs: number }): number {
  return stamp.isLocal ? clock.instantMs(stamp.ms, fold.progress, fold.lengthMs) : stamp.ms;
}

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

function readPattern(text: string, { regExp, groups }: StampPattern): Stamp | undefined {
  const match = regExp.exec(text);
  if (match === null) {
    return undefined;
  }
  const part = (token: (typeof groups)[number]): string => match[groups.indexOf(token) + 1] ?? '0';
  const day = utcDayMs(Number(part('YYYY')), Number(part('MM')), Number(part('DD')));
  const time = timeOfDayMs(
    groups.includes('HH') ? part('HH') : '0',
    groups.includes('mm') ? part('mm') : '0',
    groups.includes('ss') ? part('ss') : '0',
  );
  const ms = day + time + (groups.includes('SSS') ? Number(part('SSS')) : 0);
  return Number.isNaN(ms) ? undefined : { ms, isLocal: true, offsetMs: 0 };
}

function readEpoch(text: string, unitMs: number): Stamp | undefined {
  const match = epochPattern.exec(text);
  if (match === null) {
    return undefined;
  }
  const whole = Number(text.split('.')[0]) * unitMs;
  const ms = whole + (unitMs === 1 ? Number(`0.${match[1] ?? '0'}`) : fractionMs(match[1] ?? ''));
  return Number.isSafeInteger(ms) ? { ms, isLocal: false, offsetMs: 0 } : undefined;
}

/** NaN unless it is a time of day, or 24:00:00, the end of the day. */
export function timeOfDayMs(hour: string, minute: string, second: string): number {
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  const ms = (h * 3_600 + m * 60 + s) * 1_000;
  return m <= 59 && s <= 59 && ms <= dayMs ? ms : NaN;
}

/** NaN for what is finer than a millisecond. */
function fractionMs(digits: string): number {
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
