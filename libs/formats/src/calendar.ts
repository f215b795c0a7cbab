export const dayMs = 86_400_000;

const monthDays = Uint8Array.of(0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);

/** Midnight UTC of a date from 0001 to 9999 as milliseconds; NaN where the calendar has no such day. */
export function utcDayMs(year: number, month: number, day: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && leap ? 29 : monthDays[month];
  if (days === undefined || day < 1 || day > days || year < 1) {
    return NaN;
  }
  // Years that start in March put the leap day last.
  const shifted = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayNumber =
    shifted * 365 + Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400) + dayOfYear;
  return (dayNumber - 719_468) * dayMs;
}
