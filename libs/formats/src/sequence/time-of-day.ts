const pattern = /^(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.(\d{1,9}))?$/;
const dayMs = 86_400_000;

/** 23:45, 23:45:10, 00:00.001: milliseconds since midnight; undefined where it is no time of day. */
export function timeOfDayMs(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) {
    return undefined;
  }
  const [hours, minutes, seconds] = [match[1], match[2], match[3] ?? '0'].map(Number) as [number, number, number];
  const ms = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + Number(`0.${match[4] ?? '0'}`) * 1_000;
  return minutes <= 59 && seconds <= 59 && ms <= dayMs ? ms : undefined;
}
