const levels = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

export interface ChartPoint {
  readonly label: string;
  readonly value: number;
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

/** One bar a point, the value behind it. */
export function barChart(points: readonly ChartPoint[], unit: string, cellsWide = 40): string {
  const high = Math.max(...points.map(({ value }) => value), 0) || 1;
  const labelWidth = Math.max(...points.map(({ label }) => label.length), 0);
  return points
    .map(({ label, value }) => {
      const filled = Math.max(0, Math.round((value / high) * cellsWide));
      return `${label.padEnd(labelWidth)}  ${'█'.repeat(filled)}${' '.repeat(cellsWide - filled)}  ${value} ${unit}`;
    })
    .join('\n');
}
