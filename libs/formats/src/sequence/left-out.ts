/**
 * Why a line that can be read is left out all the same: for its place among the others. It is rejected like any other, but
 * is no bad line, for which `onBadLine: reject-source` would refuse the source.
 */
const leftOutCodes = [
  'first-of-counter',
  'first-end',
  'no-time-passed',
  'before-previous-end',
  'gap-in-counter',
  'repeated-hour',
] as const;
export type LeftOutCode = (typeof leftOutCodes)[number];

export function isLeftOut(code: string): boolean {
  return (leftOutCodes as readonly string[]).includes(code);
}
