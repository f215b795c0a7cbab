import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { embeddedWorlds } from './embedded-world.ts';
import { memoryWorlds } from './memory/memory-world.ts';
import { estimateName } from './proof-estimate.ts';
import { seededRandom } from './random.ts';
import { runSchedule } from './run-schedule.ts';
import { WorkloadPlan, type Workload } from './workload.ts';
import type { CrashWorlds } from './world.ts';

// One meter under a rule for whole days that fills what never came, through all stages. Whatever comes when, the canonical
// lines of readings and aggregates that are left are the same.

const dayMs = 86_400_000;
const quarterMs = dayMs / 4;
const tenant = 'lived';
/** Midnight in Zurich; the days after it all have 24 hours. */
const firstMs = Date.UTC(2023, 9, 31, 23);

type Step =
  | {
      readonly does: 'send';
      readonly label: string;
      readonly quarters: readonly (readonly [quarter: number, value: number])[];
    }
  | { readonly does: 'close'; readonly days: number }
  | { readonly does: 'reprocess' };

function day(number: number, values: readonly (number | undefined)[]): [number, number][] {
  return values.flatMap((value, quarter): [number, number][] =>
    value === undefined ? [] : [[number * 4 + quarter, value]],
  );
}

const history: Step = { does: 'send', label: 'history', quarters: day(1, [1, 2, 3, 4]) };
/** Of a day whose first hours in Zurich are still of the day of UTC before. */
const atMidnight: Step = { does: 'send', label: 'midnight', quarters: day(5, [50]) };
const evening: Step = { does: 'send', label: 'evening', quarters: day(5, [undefined, undefined, undefined, 53]) };
const late: Step = { does: 'send', label: 'late', quarters: day(9, [90, undefined, 92]) };
const closings: readonly Step[] = [7, 8, 12].map((days) => ({ does: 'close', days }));

/** The steps one after the other: each when all before it is at rest, or as soon as it is sent. */
function workloadOf(steps: readonly Step[], waits: readonly boolean[] = []): Workload {
  const plan = new WorkloadPlan(seededRandom('arrivals', 1));
  const soon = { tenant, afterMs: 2 };
  ['import', 'total'].forEach((channel) => {
    plan.series({ tenant, meter: 'home', channel, intervalMs: quarterMs });
  });
  const source = JSON.stringify({ plus: 0, otherwise: 7, emits: ['total'] });
  plan.order(
    0,
    { ...soon, does: 'upload', source },
    { ...soon, does: 'activate', rule: estimateName, channels: 'import', as: 'first' },
  );
  plan.wait(0);
  let closedDays = 0;
  steps.forEach((step, index) => {
    const phase = index + 1;
    if (waits[index] !== false) {
      plan.wait(phase);
    }
    if (step.does === 'close') {
      // Days close in their order, whatever the order of what comes.
      closedDays = Math.max(closedDays, step.days);
      plan.closeDays(phase, firstMs + closedDays * dayMs);
    } else if (step.does === 'reprocess') {
      plan.order(phase, { ...soon, does: 'reprocess', fromMs: 0, toMs: Date.UTC(2024, 0, 1) });
    } else {
      plan.send(phase, [{ tenant, label: `${tenant}/${step.label}`, delivery: 'first', csv: csvOf(step) }], [2]);
    }
  });
  return plan.finish();
}

function csvOf({ quarters }: Extract<Step, { does: 'send' }>): string {
  const rows = quarters.map(([quarter, value]) => {
    const startMs = firstMs + quarter * quarterMs;
    const [start, end] = [startMs, startMs + quarterMs].map((atMs) => new Date(atMs).toISOString());
    return ['home', 'import', start, end, value, 'kWh'].join(',');
  });
  return ['meter_id,channel,start,end,value,unit', ...rows, ''].join('\n');
}

interface Line {
  readonly kind: string;
  readonly layer?: string;
  readonly channel: string;
  readonly start: string;
  readonly quality: string;
}

/** The canonical lines that are left, in their order. */
async function linesAfter(worlds: CrashWorlds, workload: Workload): Promise<readonly string[]> {
  const { end, isStuck } = await runSchedule(worlds, { seed: 1, faults: [] }, { workload });
  expect(isStuck).toBe(false);
  return [...end.lines].map(([of, line]) => `${of} ${line}`).sort();
}

/** The days of the estimates among them. */
function filledDays(lines: readonly string[]): readonly number[] {
  const readings = lines.map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Line);
  const estimates = readings.filter(({ layer, quality }) => layer === 'validated' && quality === 'estimated');
  return [...new Set(estimates.map(({ start }) => Math.floor((Date.parse(start) - firstMs) / dayMs)))];
}

const steps = [history, atMidnight, evening, late, ...closings];

describe.each([memoryWorlds, embeddedWorlds])('on $adapters', (worlds) => {
  test(
    'whole empty days are filled whether what lies before them came first or last',
    { timeout: 60_000 },
    async () => {
      const first = await linesAfter(worlds, workloadOf(steps));
      // Nothing before the series begins, though its first day has hours of the day of UTC before.
      expect(filledDays(first)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      expect(await linesAfter(worlds, workloadOf([late, ...closings, evening, atMidnight, history]))).toEqual(first);
    },
  );
});

test('law: any order of arrival, closing and reprocess ends in the same lines', { timeout: 120_000 }, async () => {
  const expected = await linesAfter(memoryWorlds, workloadOf(steps));
  const reprocess: Step = { does: 'reprocess' };
  const orders = fc.shuffledSubarray([...steps, reprocess, evening, reprocess], { minLength: steps.length + 3 });
  await fc.assert(
    fc.asyncProperty(orders, fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), async (order, waits) => {
      expect(await linesAfter(memoryWorlds, workloadOf(order, waits))).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});
