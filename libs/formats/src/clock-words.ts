/** HH:MM:SS. */
export const secondBytes = 8;
/** HH:MM. */
export const minuteBytes = 5;

/** The clock time HH:MM:SS at `position` as milliseconds since midnight; -1 where there is none. */
export function clockMs(view: DataView, position: number): number {
  // HH:M and M:SS, the first byte lowest.
  const first = view.getInt32(position, true);
  const second = view.getInt32(position + 4, true);
  const hours = (first & 15) * 10 + ((first >> 8) & 15);
  const minutes = ((first >> 24) & 15) * 10 + (second & 15);
  const seconds = ((second >> 16) & 15) * 10 + ((second >> 24) & 15);
  const isClock = isHoursWord(first) && isSecondsWord(second) && hours <= 23 && minutes <= 59 && seconds <= 59;
  return isClock ? (hours * 3_600 + minutes * 60 + seconds) * 1_000 : -1;
}

/** The clock time HH:MM. */
export function minuteMs(view: DataView, position: number): number {
  const first = view.getInt32(position, true);
  const last = view.getUint8(position + 4) - 48;
  const hours = (first & 15) * 10 + ((first >> 8) & 15);
  const minutes = ((first >> 24) & 15) * 10 + last;
  const isClock = isHoursWord(first) && last >= 0 && last <= 9 && hours <= 23 && minutes <= 59;
  return isClock ? (hours * 60 + minutes) * 60_000 : -1;
}

/** True for HH:M: compared with `00:0` in the high half of each byte (the colon whole), also after adding 6 to each digit. */
function isHoursWord(word: number): boolean {
  return (((word ^ 0x303a3030) | ((word + 0x06000606) ^ 0x303a3030)) & 0xf0fff0f0) === 0;
}

/** True for M:SS. */
function isSecondsWord(word: number): boolean {
  return (((word ^ 0x30303a30) | ((word + 0x06060006) ^ 0x30303a30)) & 0xf0f0fff0) === 0;
}
