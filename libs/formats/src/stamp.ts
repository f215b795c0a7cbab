import { utcDayMs } from './calendar.ts';
import { fractionMs, readIso, timeOfDayMs, type Stamp } from './iso-stamp.ts';
import { readLenient } from './lenient-stamp.ts';
import type { FoldProgress, LocalClock } from './local-clock.ts';
import { isNamedStampFormat, stampPattern, type StampPattern } from './stamp-format.ts';

export type StampReader = (text: string) => Stamp | undefined;

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
