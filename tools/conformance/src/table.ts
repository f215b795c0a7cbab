import type { Verdict } from './suite.ts';

const titleCharsMax = 96;

/** One line a case, and under a failed one its first difference; the last line counts. */
export function tableOf(verdicts: readonly Verdict[]): string {
  const width = Math.max(0, ...verdicts.map(({ name }) => name.length));
  const lines = verdicts.flatMap(({ name, title, passed, difference }) => [
    `${passed ? 'passed' : 'FAILED'}  ${name.padEnd(width)}  ${title.slice(0, titleCharsMax)}`,
    ...(difference === undefined ? [] : [`        ${' '.repeat(width)}  ${difference}`]),
  ]);
  const failed = verdicts.filter(({ passed }) => !passed).length;
  return [...lines, `${verdicts.length - failed} passed, ${failed} failed`].join('\n');
}
