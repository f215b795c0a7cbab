import { readingsPerBatchMax } from '@meterflow/readings';
import {
  emitsOf,
  RuleFailureError,
  windowReadingsMax,
  type Flow,
  type RawWindow,
  type RunDay,
  type SeriesRun,
} from '@meterflow/rules';
import type { RunFacts, ToldDay } from './isolate-run.ts';
import { windowBytes, windowColumns } from './isolate-windows.ts';
import type { DaySections } from './request.ts';

/** What travels with days. Throws {@link RuleFailureError} where they have, or the flow looks at, more readings than one run may. */
export function daySections(flow: Flow, run: SeriesRun): DaySections {
  const { batch, unit, intervalMs, firstDay, clockShifts, closedThroughMs } = run;
  const { meter = '', channel = '' } = batch.series[0] ?? {};
  if (batch.columns.values.length > readingsPerBatchMax) {
    throw new RuleFailureError(
      'rule-invalid',
      `flow "${flow.name}" takes days of at most ${readingsPerBatchMax} readings, and meter ${meter}, channel ${channel}, has one of more: use rules that take reading by reading`,
    );
  }
  const slotTotal = total(run.windows, ({ values }) => values.length);
  const registerTotal = total(run.windows, ({ registerValues }) => registerValues.length);
  if (slotTotal + registerTotal > windowReadingsMax) {
    throw new RuleFailureError(
      'rule-invalid',
      `flow "${flow.name}" looks at ${slotTotal + registerTotal} readings of meter ${meter}, ${windowReadingsMax} are the most: look back fewer days`,
    );
  }
  const facts: RunFacts = {
    ...{ meter, channel, unit, intervalMs, firstDay, clockShifts, closedThroughMs },
    startMs: [...run.startMs],
    emits: emitsOf(flow),
    ...toldDays(run.days),
    windows: run.windows.map((window) => ({
      channel: window.channel,
      intervalMs: window.intervalMs,
      slotsFrom: [...window.slotsFrom],
      registersFrom: [...window.registersFrom],
    })),
  };
  return {
    factsJson: JSON.stringify(facts),
    windows: filled(facts, run.windows, windowBytes(slotTotal, registerTotal)),
  };
}

/** The days, and what the registry says of them: each once, where the same object says it of several. */
function toldDays(days: readonly RunDay[]): Pick<RunFacts, 'days' | 'tags'> {
  const tags: RunDay['tags'][] = [];
  const told = days.map(({ day, slots, registers, spans, tags: own }): ToldDay => {
    if (tags.at(-1) !== own) {
      tags.push(own);
    }
    return { day, slots, registers, spans, tags: tags.length - 1 };
  });
  return { days: told, tags };
}

function filled(facts: RunFacts, windows: readonly RawWindow[], bytes: number): Uint8Array {
  const memory = new ArrayBuffer(bytes);
  const columns = windowColumns(memory, facts);
  windows.forEach((window, index) => {
    const { slots, registers } = columns[index] as (typeof columns)[number];
    slots.values.set(window.values);
    slots.quality.set(window.quality);
    slots.unit.set(window.unit);
    registers.startMs?.set(window.registerStartMs);
    registers.values.set(window.registerValues);
    registers.quality.set(window.registerQuality);
    registers.unit.set(window.registerUnit);
  });
  return new Uint8Array(memory);
}

function total(windows: readonly RawWindow[], of: (window: RawWindow) => number): number {
  return windows.reduce((sum, window) => sum + of(window), 0);
}
