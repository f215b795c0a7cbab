/** Lines beyond which a changed stretch is told as a whole, old lines before new: the table would be too large. */
const stretchLinesMax = 2_000;

/** What changed between two sets of sources, file by file, as `-` and `+` lines between those that stayed; '' for nothing. */
export function sourceDiff(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return paths
    .filter((path) => before[path] !== after[path])
    .map((path) => [`--- ${path}`, ...lineDiff(linesOf(before[path]), linesOf(after[path]))].join('\n'))
    .join('\n');
}

function linesOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.replace(/\n$/, '').split('\n');
}

function lineDiff(before: readonly string[], after: readonly string[]): string[] {
  let start = 0;
  while (start < before.length && before[start] === after[start]) {
    start += 1;
  }
  let end = 0;
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end)) {
    end += 1;
  }
  const [old, young] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  const context = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
  return [
    ...context(before.slice(Math.max(0, start - 2), start)),
    ...stretchDiff(old, young),
    ...context(before.slice(before.length - end, before.length - end + 2)),
  ];
}

/** The longest common subsequence stays; the rest goes or comes. */
function stretchDiff(before: readonly string[], after: readonly string[]): string[] {
  const gone = (line: string): string => `- ${line}`;
  const come = (line: string): string => `+ ${line}`;
  if (before.length * after.length > stretchLinesMax ** 2) {
    return [...before.map(gone), ...after.map(come)];
  }
  const width = after.length + 1;
  const longest = new Uint16Array((before.length + 1) * width);
  const at = (row: number, column: number): number => longest[row * width + column] as number;
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      longest[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: string[] = [];
  let [row, column] = [0, 0];
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      lines.push(`  ${before[row] as string}`);
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) {
      lines.push(gone(before[row++] as string));
    } else {
      lines.push(come(after[column++] as string));
    }
  }
  return [...lines, ...before.slice(row).map(gone), ...after.slice(column).map(come)];
}
