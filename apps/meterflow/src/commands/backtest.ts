import { writeFile } from 'node:fs/promises';
import { CommandError, type Told } from '../cli-context.ts';
import { floatValue, parseExact, shownValue } from '../client/exact-json.ts';
import { RefusedError } from '../client/local-client.ts';
import type { Row } from '../client/pages.ts';
import { askServer } from '../client/with-server.ts';
import { backtestChart, type ChartRow } from '../rules/backtest-chart.ts';
import { flatTariff, readTariff } from '../rules/read-tariff.ts';
import { parametersIn, versioned } from '../rules/rule-words.ts';
import { ProgressBar } from '../terminal/progress-bar.ts';
import { table } from '../terminal/table.ts';

export interface BacktestOptions {
  readonly tenant: string;
  readonly from: string;
  readonly to: string;
  readonly channel?: string;
  readonly parameters?: string;
  readonly before?: string;
  readonly onFailure?: string;
  readonly share?: number;
  readonly meters?: number;
  readonly price?: string;
  readonly tariff?: string;
  readonly readingsMax?: number;
  readonly secondsMax?: number;
  readonly chart?: string;
}

/** Takes stored readings through the flow as it is and as it would be, and tells what is otherwise. Changes nothing. */
export async function backtestRule(wanted: string, options: BacktestOptions, told: Told): Promise<void> {
  const body = await bodyOf(wanted, options);
  const result = await askServer(told.globals, async ({ control }) => {
    const bar = new ProgressBar(told.output.terminal);
    try {
      const call = { method: 'POST', path: '/v1/backtests', role: 'customer', tenant: options.tenant, body } as const;
      let last: Row = {};
      for await (const text of control.textLines(call)) {
        last = parseExact(text) as Row;
        showProgress(bar, last);
      }
      return resultOf(last);
    } finally {
      bar.clear();
    }
  });
  if (options.chart !== undefined) {
    await writeChart(options.chart, result, options);
  }
  told.output.line(told.globals.json ? JSON.stringify(result) : resultText(result, options));
}

async function bodyOf(wanted: string, options: BacktestOptions): Promise<object> {
  const { name, version } = versioned(wanted);
  const { from, to, channel, parameters, before, onFailure, share, meters, readingsMax, secondsMax } = options;
  if (options.price !== undefined && options.tariff !== undefined) {
    throw new CommandError('tariff-invalid', 'give --price or --tariff, not both');
  }
  const given = {
    ...{ version, channels: channel, before, onFailure, share, meters, readingsMax, secondsMax },
    parameters: parameters === undefined ? undefined : parametersIn(parameters),
    tariff:
      options.tariff !== undefined
        ? await readTariff(options.tariff)
        : options.price === undefined
          ? undefined
          : flatTariff(options.price),
  };
  return { rule: name, from, to, ...given };
}

function showProgress(bar: ProgressBar, { progress }: Row): void {
  if (progress !== undefined) {
    const { seriesDone, series, readings } = progress as Row;
    const done = { done: floatValue(seriesDone), total: floatValue(series), count: floatValue(readings) };
    bar.update({ ...done, noun: 'readings' });
  }
}

function resultOf({ result, problem }: Row): Row {
  if (result === undefined) {
    const { code, detail } = (problem ?? {
      code: 'no-answer',
      detail: 'the server ended before the backtest was done: try it again',
    }) as { readonly code: string; readonly detail: string };
    throw new RefusedError(500, { code, detail });
  }
  return result as Row;
}

async function writeChart(path: string, result: Row, { from, to }: BacktestOptions): Promise<void> {
  const { name, version } = result['rule'] as Row;
  const changed = (result['changed'] as Row)['readings'];
  const numbers = (rows: unknown): readonly ChartRow[] =>
    (rows as readonly Row[]).map((row) => ({
      ...{ channel: shownValue(row['channel']), unit: shownValue(row['unit']), window: shownValue(row['window']) },
      ...{ before: floatValue(row['before']), after: floatValue(row['after']) },
    }));
  const svg = backtestChart({
    title: `${shownValue(name)}, version ${shownValue(version)}`,
    subtitle: `${from.slice(0, 10)} to ${to.slice(0, 10)}: ${shownValue(changed)} of ${shownValue(result['readings'])} readings of ${shownValue((result['meters'] as Row)['sampled'])} meters would be otherwise`,
    days: numbers(result['days']),
    months: numbers(result['months']),
  });
  await writeFile(path, svg).catch((error: unknown) => {
    throw new CommandError('not-written', `${path} can't be written: ${(error as Error).message}`, { cause: error });
  });
}

const daysShownMax = 31;

const nothingStored =
  'Nothing is stored of these days on the channels that the rule is for. What there is: meterflow sql ' +
  '"select channel, min(start), max(start) from readings_raw group by all"';

function resultText(result: Row, { from, to, chart }: BacktestOptions): string {
  const { rule, endedBy } = result as Record<string, Row>;
  const title = `${shownValue(rule?.['name'])}, version ${shownValue(rule?.['version'])}`;
  const part = (name: string): Row => (result[name] ?? {}) as Row;
  const [meters, series, sandbox] = [part('meters'), part('series'), part('sandbox')];
  const head = [
    `${title}, on readings from ${from} to ${to}: nothing was changed`,
    `  meters     ${shownValue(meters['sampled'])} of ${shownValue(meters['stored'])}, ${shownValue(series['done'])} series`,
    `  readings   ${shownValue(result['readings'])}`,
    `  otherwise  ${shownValue(part('changed')['readings'])}  = ${changedText(part('changed'))}`,
    `  sandbox    ${costText(sandbox['before'] as Row)} as it is, ${costText(sandbox['after'] as Row)} with the rule`,
    ...(endedBy === undefined
      ? []
      : [`  ended by the bound on ${shownValue(endedBy)}: not all of the sample was seen`]),
  ];
  return [
    head.join('\n'),
    ...(shownValue(result['readings']) === '0' ? [nothingStored] : []),
    ...failureText(part('failures')['after'] as Row),
    ...tables(result, result['money'] as readonly Row[] | undefined),
    ...(chart === undefined ? [] : [`chart: ${chart}`]),
  ].join('\n\n');
}

function failureText({ readings, first }: Row): readonly string[] {
  const messages = (first ?? []) as readonly string[];
  return messages.length === 0 ? [] : [`${shownValue(readings)} readings fail:\n  ${messages.join('\n  ')}`];
}

function tables(result: Row, money: readonly Row[] | undefined): readonly string[] {
  const examples = (result['examples'] as readonly Row[]).slice(0, 5).map((row) => {
    const [before, after] = [row['before'], row['after']] as (Row | null)[];
    const of = (side: Row | null | undefined): string[] =>
      side == null ? ['', ''] : [shownValue(side['value'] ?? 'none'), shownValue(side['quality'])];
    const place = [row['meter'], row['channel'], row['start']].map(shownValue);
    return [...place, ...of(before), ...of(after), shownValue(after?.['reason'])];
  });
  const days = result['days'] as readonly Row[];
  const sums = days.length > daysShownMax ? (result['months'] as readonly Row[]) : days;
  return [
    ...(examples.length === 0
      ? []
      : [table(['meter', 'channel', 'start', 'before', 'quality', 'after', 'quality', 'reason'], examples)]),
    ...(sums.length === 0
      ? []
      : [table([days.length > daysShownMax ? 'month' : 'day', 'channel', 'unit', ...sides], sums.map(sumCells))]),
    ...(money === undefined || money.length === 0
      ? []
      : [
          table(
            ['money', ...sides],
            money.map((row) => moneyCells(row)),
          ),
        ]),
  ];
}

const sides = ['before', 'after', 'difference'];

function sumCells(row: Row): string[] {
  return [...['window', 'channel', 'unit', 'before', 'after'].map((cell) => shownValue(row[cell])), difference(row)];
}

function moneyCells(row: Row): string[] {
  return [...['channel', 'before', 'after'].map((cell) => shownValue(row[cell])), difference(row)];
}

/** For the eye: both numbers stand exactly beside it. */
function difference(row: Row): string {
  return String(Number((floatValue(row['after']) - floatValue(row['before'])).toPrecision(12)));
}

function changedText(changed: Row): string {
  const parts = ['values', 'qualities', 'filled', 'withdrawn', 'rejected', 'restored', 'annotated'];
  return parts.map((part) => `${shownValue(changed[part])} ${part}`).join(', ');
}

function costText(cost: Row): string {
  const { cpuMs, residentBytesMax } = cost;
  return cpuMs === undefined
    ? 'time and memory unknown'
    : `${shownValue(cpuMs)} ms of CPU and ${Math.round(floatValue(residentBytesMax) / 1024 ** 2)} MiB`;
}
