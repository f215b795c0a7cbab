import { InvalidArgumentError } from 'commander';

export const portDefault = 8640;

export function port(text: string): number {
  const value = wholeNumber(text);
  if (value > 65_535) {
    throw new InvalidArgumentError('A port is a number up to 65535.');
  }
  return value;
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new InvalidArgumentError('It must be a whole number.');
  }
  return Number(text);
}

const instantPattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;

/** An instant as the API takes it; the text stays as it is. */
export function instant(text: string): string {
  if (!instantPattern.test(text) || !isDay(text.slice(0, 10)) || Number.isNaN(Date.parse(text))) {
    throw new InvalidArgumentError('It must be an instant like 2013-03-04T00:00:00Z, or a date like 2013-03-04.');
  }
  return text;
}

/** False for 30 February, which JavaScript takes for a day of March. */
function isDay(date: string): boolean {
  const parsed = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** What takes a setting back. */
const asDefault = 'default';

/** `15m` in milliseconds; null for `default`, which takes it back. */
export function interval(text: string): number | null {
  if (text === asDefault) {
    return null;
  }
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new InvalidArgumentError('It must be a length like 15m, 1h, 900s or 1d, or "default".');
  }
  return Number(count) * unitMs[unit as keyof typeof unitMs];
}

/** A word of the API; null for `default`, which takes it back. */
export function setting(text: string): string | null {
  return text === asDefault ? null : text;
}

/** Names with commas between them; `none`, or `default`, which takes it back. */
export function names(text: string): readonly string[] | null {
  return text === asDefault ? null : text === 'none' ? [] : text.split(',').map((name) => name.trim());
}

/** `15m` in seconds. */
export function seconds(text: string): number {
  const [, count, unit] = /^(0|[1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new InvalidArgumentError('It must be a time like 90s, 15m or 2h.');
  }
  return (Number(count) * unitMs[unit as keyof typeof unitMs]) / unitMs.s;
}

/** Not negative, with a point. */
export function amount(text: string): number {
  if (!/^\d{1,12}(\.\d{1,9})?$/.test(text)) {
    throw new InvalidArgumentError('It must be a number like 100000 or 0.05.');
  }
  return Number(text);
}

/** `10%` or `0.1`, as a part of 1. */
export function share(text: string): number {
  const [, number, percent] = /^(\d{1,3}(?:\.\d{1,4})?)\s*(%?)$/.exec(text) ?? [];
  const value = Number(number) / (percent === '%' ? 100 : 1);
  if (!(value > 0 && value <= 1)) {
    throw new InvalidArgumentError('It must be a share like 10% or 0.1, above 0 and up to 100%.');
  }
  return value;
}
