import { setTimeout as sleep } from 'node:timers/promises';
import { defineRoute, exactNumber, Problem, type Route } from '@meterflow/http';
import { qualities, readDecimal } from '@meterflow/readings';
import { failurePolicies } from '@meterflow/rules';
import { z } from 'zod';
import type { BacktestResult, PreparedBacktest } from '../backtest/backtest-desk.ts';
import type { BacktestProgress } from '../backtest/backtest.ts';
import type { ShownReading } from '../backtest/compare-readings.ts';
import type { SandboxCost } from '../backtest/measured-sandbox.ts';
import { sampleMetersMax } from '../backtest/sampled-series.ts';
import type { Side, WindowSum } from '../backtest/window-sums.ts';
import type { ControlPorts } from '../ports.ts';
import { instant } from '../query-span.ts';
import { parameterValue, version } from './rule-order.ts';
import { asProblem } from './rule-problem.ts';

const readingsMaxDefault = 5_000_000;
const readingsMaxMax = 100_000_000;
const secondsMaxDefault = 120;
const secondsMaxMax = 3_600;
const pricesMax = 48;
const spanDaysMax = 10 * 366;
const dayMs = 86_400_000;
/** A line of progress at most so often: often enough that no connection falls silent. */
const progressEveryMs = 250;

const price = z.strictObject({
  from: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'not a time of day like 06:00')
    .describe('local time of day'),
  price: z
    .string()
    .refine((text) => 'integer' in readDecimal(text), 'not a decimal number like 0.32')
    .describe('of a kWh, until the next one’s time; an exact decimal'),
});

const body = z.strictObject({
  rule: z.string().min(1).max(63),
  version,
  channels: z.string().min(1).max(64).optional().describe('a channel or a glob; those it is made for when not given'),
  parameters: z.record(z.string(), parameterValue).default({}),
  before: z.string().min(1).max(63).optional().describe('a rule of the flow that it is to stand before'),
  onFailure: z.enum(failurePolicies).optional(),
  from: instant.describe('first instant, ISO 8601 with offset, or a date of UTC'),
  to: instant.describe('first instant that is not in it any more'),
  share: z.number().gt(0).max(1).optional().describe('of the meters: those that an activation for this share takes'),
  meters: z.number().int().min(1).max(sampleMetersMax).optional().describe('so many of them instead'),
  tariff: z.strictObject({ prices: z.array(price).min(1).max(pricesMax) }).optional(),
  readingsMax: z.number().int().min(1).max(readingsMaxMax).default(readingsMaxDefault),
  secondsMax: z.number().min(1).max(secondsMaxMax).default(secondsMaxDefault),
});

const amount = z.number().describe('exact');
const count = z.number().int();
const beforeAfter = { before: amount, after: amount };
const window = z.object({ channel: z.string(), unit: z.string(), window: z.string(), ...beforeAfter });
const shownReading = z
  .object({ value: amount.nullable(), unit: z.string(), quality: z.enum(qualities), reason: z.string() })
  .nullable();
const counts = z.object(Object.fromEntries(qualities.map((quality) => [quality, count])));
const cost = z.object({ cpuMs: count.optional(), residentBytesMax: count.optional() });
const failures = z.object({ readings: count, first: z.array(z.string()) });
const result = z.object({
  rule: z.object({ name: z.string(), version: count, id: z.string() }),
  endedBy: z.enum(['readings', 'time']).optional().describe('what ended it before the whole sample was seen'),
  meters: z.object({ sampled: count, stored: count }),
  series: z.object({ done: count, of: count }),
  readings: count,
  changed: z.object({
    readings: count.describe('otherwise in anything'),
    values: count,
    qualities: count,
    rejected: count,
    restored: count,
    filled: count.describe('a value where there was no reading'),
    withdrawn: count.describe('no reading where there was a value'),
    annotated: count,
  }),
  qualities: z.object({ before: counts, after: counts }),
  failures: z.object({ before: failures, after: failures }),
  days: z.array(window),
  months: z.array(window),
  money: z.array(z.object({ channel: z.string(), ...beforeAfter })).optional(),
  changedSeries: z.array(z.object({ meter: z.string(), channel: z.string(), readings: count, changed: count })),
  examples: z.array(
    z.object({
      ...{ meter: z.string(), channel: z.string(), start: z.string() },
      ...{ before: shownReading, after: shownReading },
    }),
  ),
  sandbox: z.object({ before: cost, after: cost }),
  tookMs: count,
});
const line = z.union([
  z.object({ progress: z.object({ seriesDone: count, series: count, readings: count }) }),
  z.object({ result }),
  z.object({ problem: z.object({ code: z.string(), detail: z.string() }) }),
]);

/** A rule tried on stored readings. Nothing is kept: the answer ends when the client does. */
export function backtestRoute({ backtests }: Pick<ControlPorts, 'backtests'>): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/backtests',
    operationId: 'backtestRule',
    summary: 'What a rule would change of stored readings, by NDJSON: lines of progress, then one with the result',
    roles: ['customer', 'operator'],
    body,
    answers: { 200: { description: 'Lines, each one of these', schema: line } },
    handle: async ({ principal: { tenant }, body: { rule: name, from, to, share, meters, ...rest }, signal }) => {
      if (!(from < to) || to - from > spanDaysMax * dayMs) {
        throw new Problem('invalid-request', `\`from\` must lie before \`to\`, by ${spanDaysMax} days at most`);
      }
      const sample = { ...(share === undefined ? {} : { share }), ...(meters === undefined ? {} : { meters }) };
      const prepared = await backtests
        .prepare(tenant, {
          ...{ name, fromMs: from, toMs: to, sample, parameters: rest.parameters },
          ...{ readingsMax: rest.readingsMax, msMax: rest.secondsMax * 1000 },
          ...given({ version: rest.version, channels: rest.channels, before: rest.before, onFailure: rest.onFailure }),
          ...(rest.tariff === undefined ? {} : { tariff: { prices: rest.tariff.prices.map(priceOf) } }),
        })
        .catch(asProblem);
      return { headers: { 'content-type': 'application/x-ndjson' }, stream: lines(prepared, signal) };
    },
  });
}

function given<Values extends object>(values: Values): { [Name in keyof Values]: Exclude<Values[Name], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function priceOf({ from, price: text }: z.output<typeof price>): { fromMinute: number; price: string } {
  const [hours = 0, minutes = 0] = from.split(':').map(Number);
  return { fromMinute: hours * 60 + minutes, price: text };
}

async function* lines(run: PreparedBacktest, signal: AbortSignal): AsyncGenerator<string> {
  // Whoever stops reading ends it as well.
  const ended = new AbortController();
  let progress: BacktestProgress | undefined;
  const running = run(
    (each) => {
      progress = each;
    },
    AbortSignal.any([signal, ended.signal]),
  );
  const done = running.then(
    (outcome) => JSON.stringify({ result: resultJson(outcome) }),
    (error: unknown) => JSON.stringify({ problem: problemJson(error) }),
  );
  try {
    for (;;) {
      const last = await Promise.race([done, sleep(progressEveryMs, undefined)]);
      if (last !== undefined) {
        yield `${last}\n`;
        return;
      }
      if (progress !== undefined) {
        yield `${JSON.stringify({ progress })}\n`;
      }
    }
  } finally {
    ended.abort();
    await done;
  }
}

/** The answer has begun: what goes wrong now can only be told in it. */
function problemJson(error: unknown): { readonly code: string; readonly detail: string } {
  try {
    asProblem(error);
  } catch (problem) {
    return problem instanceof Problem
      ? { code: problem.code, detail: problem.message }
      : { code: 'internal-error', detail: 'the backtest failed; the same may well succeed when tried again' };
  }
}

function resultJson(outcome: BacktestResult): unknown {
  const { rule, endedBy, progress, sampled, comparison, failures: failed, money, tookMs } = outcome;
  const { days, months, changedSeries, examples, cost: used } = outcome;
  const { changed, valueChanged, qualityChanged, rejected, restored, filled, withdrawn, annotated, qualityCounts } =
    comparison;
  return {
    rule: { name: rule.version.name, version: rule.number, id: rule.version.id },
    endedBy,
    meters: { sampled: sampled.meters, stored: sampled.metersStored },
    series: { done: progress.seriesDone, of: progress.series },
    readings: progress.readings,
    changed: {
      readings: changed,
      ...{ values: valueChanged, qualities: qualityChanged, filled, withdrawn, rejected, restored, annotated },
    },
    qualities: { before: byQuality(qualityCounts.before), after: byQuality(qualityCounts.after) },
    failures: failed,
    days: days.map(exactSums),
    months: months.map(exactSums),
    money: money?.map(exactSums),
    changedSeries,
    examples: examples.map(({ before, after, ...rest }) => ({ ...rest, before: exact(before), after: exact(after) })),
    sandbox: { before: costJson(used.before), after: costJson(used.after) },
    tookMs: Math.round(tookMs),
  } satisfies Record<keyof z.input<typeof result>, unknown>;
}

function exactSums(sums: Pick<WindowSum, Side>): object {
  return { ...sums, before: exactNumber(sums.before), after: exactNumber(sums.after) };
}

function exact(reading: ShownReading | null): object | null {
  return reading === null ? null : { ...reading, value: reading.value === null ? null : exactNumber(reading.value) };
}

function costJson({ cpuMs, residentBytesMax }: SandboxCost): object {
  return { cpuMs, residentBytesMax };
}

function byQuality(numbers: readonly number[]): object {
  return Object.fromEntries(qualities.map((quality, code) => [quality, numbers[code] ?? 0]));
}
