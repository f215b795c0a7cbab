const levels = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

export interface ChartPoint {
  readonly label: string;
  readonly value: number;
  /** The value as it is shown; its digits when not given. */
  readonly text?: string;
}

/** One line of columns, least to greatest, with both ends named; values that are many are averaged into `cellsMax`. */
export function sparkline(points: readonly ChartPoint[], cellsMax = 72): string {
  if (points.length === 0) {
    return '';
  }
  const cells = Math.min(cellsMax, points.length);
  const means = Array.from({ length: cells }, (_, cell) => {
    const part = points.slice(
      Math.floor((cell * points.length) / cells),
      Math.floor(((cell + 1) * points.length) / cells),
    );
    return part.reduce((sum, { value }) => sum + value, 0) / part.length;
  });
  const low = Math.min(0, ...means);
  const high = Math.max(...means);
  const span = high - low || 1;
  const columns = means.map((mean) => levels[Math.min(7, Math.floor(((mean - low) / span) * 8))]).join('');
  const first = points[0]?.label ?? '';
  const last = points.at(-1)?.label ?? '';
  return `${columns}\n${first}${' '.repeat(Math.max(1, cells - first.length - last.length))}${last}`;
}

/** One bar a point, the values behind them in a column. */
export function barChart(points: readonly ChartPoint[], cellsWide = 40): string {
  const high = Math.max(...points.map(({ value }) => value), 0) || 1;
  const texts = points.map(({ value, text }) => text ?? String(value));
  const fraction = Math.max(0, ...texts.map((text) => fractionOf(text).length));
  const aligned = texts.map((text) => text + ' '.repeat(fraction - fractionOf(text).length));
  const width = Math.max(...aligned.map((text) => text.length), 0);
  const labelWidth = Math.max(...points.map(({ label }) => label.length), 0);
  return points
    .map(({ label, value }, index) => {
      const filled = Math.min(cellsWide, Math.max(0, Math.round((value / high) * cellsWide)));
      const bar = '█'.repeat(filled) + ' '.repeat(cellsWide - filled);
      return `${label.padEnd(labelWidth)}  ${bar}  ${(aligned[index] ?? '').padStart(width)}`.trimEnd();
    })
    .join('\n');
}

/** From the point on: points stand below one another. */
function fractionOf(text: string): string {
  const point = text.indexOf('.');
  return point === -1 ? '' : text.slice(point);
}
