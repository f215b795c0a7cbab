import type { LoadTrace } from './load-trace.ts';
import type { PlanOutcome, PlanSample } from './simulate.ts';

const width = 960;
const panelHeight = 150;
const gap = 34;
const left = 76;
const right = 16;
const top = 40;
const pointsMax = 900;
const colours = {
  arrivals: '#5b8ff9',
  backlog: '#e8684a',
  age: '#8d6bc2',
  pods: '#2f9e6e',
  limit: '#c0392b',
  text: '#333',
  grid: '#ddd',
};

interface Panel {
  readonly title: string;
  readonly colour: string;
  readonly values: readonly number[];
  /** A line across, as the deadline. */
  readonly limit?: number;
}

export interface PlanChartOptions {
  readonly title: string;
  readonly trace: LoadTrace;
  readonly outcome: PlanOutcome;
  readonly deadlineSeconds: number;
}

/** Arrivals, backlog, age and pods over time, one below the other, as an SVG document without anything from outside. */
export function planChart({ title, trace, outcome, deadlineSeconds }: PlanChartOptions): string {
  const samples = thinned(outcome.samples);
  const seconds = Math.max(1, samples.at(-1)?.second ?? 1);
  const panels: Panel[] = [
    { title: 'readings that arrive, per second', colour: colours.arrivals, values: arrivals(trace, samples) },
    { title: 'backlog, readings', colour: colours.backlog, values: samples.map(({ backlog }) => backlog) },
    {
      title: 'age of the oldest, seconds',
      colour: colours.age,
      values: samples.map(({ ageSeconds }) => ageSeconds),
      limit: deadlineSeconds,
    },
    { title: 'pods', colour: colours.pods, values: samples.map(({ replicas }) => replicas) },
  ];
  const height = top + panels.length * (panelHeight + gap);
  const body = panels.map((panel, i) => panelOf(panel, { samples, seconds, y: top + i * (panelHeight + gap) + 16 }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="${colours.text}">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${left}" y="22" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...body,
    ...hourMarks(seconds, height),
    '</svg>',
    '',
  ].join('\n');
}

interface Place {
  readonly samples: readonly PlanSample[];
  readonly seconds: number;
  readonly y: number;
}

function panelOf({ title, colour, values, limit }: Panel, { samples, seconds, y }: Place): string {
  const highest = Math.max(1, ...values, limit ?? 0);
  const height = panelHeight - 16;
  const yOf = (value: number): string => (y + height - (value / highest) * height).toFixed(1);
  const xOf = (second: number): string => (left + (second / seconds) * (width - left - right)).toFixed(1);
  // Steps: what a sample says holds until the next one.
  const path = samples.map(
    ({ second }, i) => `${i === 0 ? 'M' : `H${xOf(second)}V`}${i === 0 ? `${xOf(second)} ` : ''}${yOf(values[i] ?? 0)}`,
  );
  const floor = yOf(0);
  const line =
    limit === undefined
      ? ''
      : `<path d="M${left} ${yOf(limit)}H${width - right}" stroke="${colours.limit}" stroke-dasharray="6 4"/><text x="${width - right}" y="${Number(yOf(limit)) - 4}" text-anchor="end" fill="${colours.limit}">deadline</text>`;
  return [
    `<g><text x="${left}" y="${y - 4}" font-weight="bold" fill="${colour}">${title}</text>`,
    `<path d="M${left} ${yOf(highest)}H${width - right}M${left} ${floor}H${width - right}" stroke="${colours.grid}"/>`,
    `<text x="${left - 6}" y="${Number(yOf(highest)) + 9}" text-anchor="end">${short(highest)}</text><text x="${left - 6}" y="${floor}" text-anchor="end">0</text>`,
    `<path d="${path.join('')}V${floor}H${left}Z" fill="${colour}" fill-opacity="0.18"/>`,
    `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="1.5"/>${line}</g>`,
  ].join('');
}

function hourMarks(seconds: number, height: number): string[] {
  const step = [60, 300, 900, 3_600, 14_400, 86_400].find((each) => seconds / each <= 12) ?? 604_800;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => {
    const x = left + ((i * step) / seconds) * (width - left - right);
    return `<text x="${x.toFixed(1)}" y="${height - 8}" text-anchor="middle">${clock(i * step)}</text>`;
  });
}

function clock(second: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${two(second / 3_600)}:${two((second % 3_600) / 60)}`;
}

/** At most so many samples, each the worst of those that it stands for. */
function thinned(samples: readonly PlanSample[]): PlanSample[] {
  const each = Math.ceil(samples.length / pointsMax);
  return Array.from({ length: Math.ceil(samples.length / each) }, (_, i) => {
    const some = samples.slice(i * each, (i + 1) * each);
    const worst = (of: (sample: PlanSample) => number): number => Math.max(...some.map(of));
    return {
      second: some[0]?.second ?? 0,
      backlog: worst(({ backlog }) => backlog),
      ageSeconds: worst(({ ageSeconds }) => ageSeconds),
      replicas: worst(({ replicas }) => replicas),
      readyReplicas: worst(({ readyReplicas }) => readyReplicas),
    };
  });
}

/** The mean of what arrives from one sample to the next. */
function arrivals({ readings }: LoadTrace, samples: readonly PlanSample[]): number[] {
  return samples.map(({ second }, i) => {
    const end = samples[i + 1]?.second ?? second + 1;
    return readings.subarray(second, end).reduce((sum, each) => sum + each, 0) / (end - second);
  });
}

function short(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  const digits = value / 1_000 ** power;
  return `${digits >= 100 || Number.isInteger(digits) ? Math.round(digits) : digits.toFixed(1)}${units[power] ?? ''}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
