/** A sum of a channel over a window, before and after. */
export interface ChartRow {
  readonly channel: string;
  readonly unit: string;
  /** `2024-01-31`, or `2024-01`. */
  readonly window: string;
  readonly before: number;
  readonly after: number;
}

export interface BacktestChart {
  readonly title: string;
  readonly subtitle: string;
  readonly days: readonly ChartRow[];
  readonly months: readonly ChartRow[];
}

const width = 960;
const left = 76;
const right = 24;
const head = 84;
const panelHeight = 236;
const plotHeight = 150;
const panelsMax = 6;
/** More days than this are drawn as months. */
const daysMax = 400;
const [ink, faint, grid] = ['#1f2937', '#6b7280', '#e5e7eb'];
const [beforeColour, afterColour, differenceColour] = ['#94a3b8', '#c2410c', '#fed7aa'];

/** An SVG of sums before and after, one panel a channel: both lines, and what lies between them shaded. */
export function backtestChart({ title, subtitle, days, months }: BacktestChart): string {
  const dayCount = new Set(days.map(({ window }) => window)).size;
  const rows = dayCount > daysMax ? months : days;
  const panels = [...Map.groupBy(rows, ({ channel, unit }) => `${channel}, ${unit}`)].slice(0, panelsMax);
  const height = head + Math.max(1, panels.length) * panelHeight;
  const span = dayCount > daysMax ? 'month' : 'day';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text({ x: left, y: 32, size: 18, colour: ink, weight: 600 }, title),
    text({ x: left, y: 54, colour: faint }, subtitle),
    legend(),
    ...panels.map(([name, own], index) => panel(`${name} a ${span}`, own, head + index * panelHeight)),
    ...(panels.length === 0
      ? [text({ x: left, y: head + 40, colour: faint }, 'No interval reading in the span.')]
      : []),
    '</svg>\n',
  ].join('\n');
}

function panel(name: string, rows: readonly ChartRow[], top: number): string {
  const values = rows.flatMap(({ before, after }) => [before, after]);
  const ticks = niceTicks(Math.min(0, ...values), Math.max(0, ...values));
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const plotTop = top + 28;
  const x = (index: number): number =>
    left + (rows.length === 1 ? 0.5 : index / (rows.length - 1)) * (width - left - right);
  const y = (value: number): number => plotTop + plotHeight - ((value - low) / (high - low)) * plotHeight;
  const line = (side: 'before' | 'after'): readonly string[] =>
    rows.map((row, index) => `${fixed(x(index))},${fixed(y(row[side]))}`);
  const [before, after] = [line('before'), line('after')];
  return [
    text({ x: left, y: top + 12, colour: ink, weight: 600 }, name),
    text({ x: width - right, y: top + 12, colour: faint, anchor: 'end' }, totals(rows)),
    ...ticks.map((tick) =>
      [
        `<line x1="${left}" x2="${width - right}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}" stroke="${tick === 0 ? faint : grid}"/>`,
        text({ x: left - 8, y: y(tick) + 4, colour: faint, anchor: 'end' }, shortNumber(tick)),
      ].join('\n'),
    ),
    `<polygon points="${[...before, ...after.toReversed()].join(' ')}" fill="${differenceColour}" fill-opacity="0.7"/>`,
    series(before, { colour: beforeColour, wide: 3 }),
    series(after, { colour: afterColour, wide: 1.5 }),
    ...dateTicks(rows).map((index) =>
      text(
        { x: x(index), y: plotTop + plotHeight + 20, colour: faint, anchor: anchorOf(index, rows.length) },
        rows[index]?.window ?? '',
      ),
    ),
  ].join('\n');
}

/** Few points are seen better as dots as well. */
const dotsMax = 62;

function series(
  points: readonly string[],
  { colour, wide }: { readonly colour: string; readonly wide: number },
): string {
  const dots =
    points.length > dotsMax
      ? []
      : points.map((point) => {
          const [cx = '', cy = ''] = point.split(',');
          return `<circle cx="${cx}" cy="${cy}" r="${wide}" fill="${colour}"/>`;
        });
  const line = `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="${wide}" stroke-linejoin="round"/>`;
  return [line, ...dots].join('');
}

function legend(): string {
  const entry = (x: number, colour: string, name: string): string =>
    `<rect x="${x}" y="22" width="22" height="4" rx="2" fill="${colour}"/>${text({ x: x + 30, y: 28, colour: ink }, name)}`;
  return (
    entry(width - right - 206, beforeColour, 'as it is') + entry(width - right - 106, afterColour, 'with the rule')
  );
}

function totals(rows: readonly ChartRow[]): string {
  const sum = (side: 'before' | 'after'): number => rows.reduce((total, row) => total + row[side], 0);
  const [before, after] = [sum('before'), sum('after')];
  const share = before === 0 ? '' : ` (${signed((after - before) / Math.abs(before), 100, ' %')})`;
  return `${shortNumber(before)} → ${shortNumber(after)}${share}`;
}

function signed(part: number, factor: number, unit: string): string {
  const value = Number((part * factor).toFixed(2));
  return `${value > 0 ? '+' : value < 0 ? '−' : '±'}${Math.abs(value)}${unit}`;
}

const ticksMax = 5;

/** Round values from at most `low` to at least `high`. */
export function niceTicks(low: number, high: number): readonly number[] {
  const span = high - low || 1;
  const rough = span / (ticksMax - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

const dateTicksMax = 8;

/** Indexes whose windows are named: evenly, from the first on. */
function dateTicks(rows: readonly ChartRow[]): readonly number[] {
  const step = Math.max(1, Math.ceil(rows.length / dateTicksMax));
  return Array.from({ length: Math.ceil(rows.length / step) }, (_, tick) => tick * step);
}

function anchorOf(index: number, count: number): Anchor {
  if (count === 1 || (index > 0 && index < count - 1)) {
    return 'middle';
  }
  return index === 0 ? 'start' : 'end';
}

type Anchor = 'start' | 'middle' | 'end';

interface TextStyle {
  readonly x: number;
  readonly y: number;
  readonly colour: string;
  readonly size?: number;
  readonly weight?: number;
  readonly anchor?: Anchor;
}

function text({ x, y, colour, size = 12, weight = 400, anchor = 'start' }: TextStyle, words: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" fill="${colour}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? '');
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}

function shortNumber(value: number): string {
  return new Intl.NumberFormat('en', { maximumSignificantDigits: 6, useGrouping: true }).format(value);
}
