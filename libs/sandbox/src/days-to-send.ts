import { readingsPerBatchMax } from '@meterflow/readings';
import { emitsOf, RuleFailureError, windowReadingsMax, type Flow, type RunDay, type SeriesRun } from '@meterflow/rules';
import type { ToldFacts } from './isolate-run.ts';
import { runColumns, runColumnsBytes, wordsPerDay } from './isolate-windows.ts';
import type { DaysToSend } from './request.ts';

/** Throws {@link RuleFailureError} where days have, or the flow looks at, more readings than one run may. */
export function checkSight(flow: Flow, { batch, windows }: SeriesRun): void {
  const { meter = '', channel = '' } = batch.series[0] ?? {};
  if (batch.columns.values.length > readingsPerBatchMax) {
    throw new RuleFailureError(
      'rule-invalid',
      `flow "${flow.name}" takes days of at most ${readingsPerBatchMax} readings, and meter ${meter}, channel ${channel}, has one of more: use rules that take reading by reading`,
    );
  }
  const seen = windows.reduce((sum, { values, registerValues }) => sum + values.length + registerValues.length, 0);
  if (seen > windowReadingsMax) {
    throw new RuleFailureError(
      'rule-invalid',
      `flow "${flow.name}" looks at ${seen} readings of meter ${meter}, ${windowReadingsMax} are the most: look back fewer days`,
    );
  }
}

/** What travels with days: few facts as text, all that there is of each day and reading in columns. */
export function daysToSend(flow: Flow, run: SeriesRun): DaysToSend {
  const { batch, unit, intervalMs, firstDay, clockShifts, closedThroughMs } = run;
  const { meter = '', channel = '' } = batch.series[0] ?? {};
  const tags: RunDay['tags'][] = [];
  const days = toldDays(run.days, tags);
  const facts: ToldFacts = {
    ...{ meter, channel, unit, intervalMs, firstDay, clockShifts, closedThroughMs, tags },
    emits: emitsOf(flow),
    localDays: run.startMs.length - 1,
    runDays: run.days.length,
    windows: run.windows.map((window) => ({
      channel: window.channel,
      intervalMs: window.intervalMs,
      slots: window.values.length,
      registers: window.registerValues.length,
    })),
  };
  return {
    factsJson: JSON.stringify(facts),
    windowBytes: runColumnsBytes(facts),
    writeWindows: (memory, offset) => {
      fill(runColumns(memory, facts, offset), run, days);
    },
  };
}

/** The days by {@link wordsPerDay}. `tags` comes to hold what the registry says: once, where the same object says it of several. */
function toldDays(days: readonly RunDay[], tags: RunDay['tags'][]): Uint32Array {
  const told = new Uint32Array(days.length * wordsPerDay);
  let at = 0;
  for (const { day, slots, registers, spans, tags: own } of days) {
    if (tags.at(-1) !== own) {
      tags.push(own);
    }
    told[at] = day;
    told[at + 1] = slots;
    told[at + 2] = registers;
    told[at + 3] = spans;
    told[at + 4] = tags.length - 1;
    at += wordsPerDay;
  }
  return told;
}

function fill(columns: ReturnType<typeof runColumns>, run: SeriesRun, days: Uint32Array): void {
  columns.startMs.set(run.startMs);
  columns.days.set(days);
  run.windows.forEach((window, index) => {
    const { slots, registers } = columns.windows[index] as (typeof columns.windows)[number];
    slots.from.set(window.slotsFrom);
    slots.values.set(window.values);
    slots.quality.set(window.quality);
    slots.unit.set(window.unit);
    registers.from.set(window.registersFrom);
    registers.startMs?.set(window.registerStartMs);
    registers.values.set(window.registerValues);
    registers.quality.set(window.registerQuality);
    registers.unit.set(window.registerUnit);
  });
}
