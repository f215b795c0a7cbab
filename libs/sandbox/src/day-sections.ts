import {
  emitsOf,
  RuleFailureError,
  windowReadingsMax,
  type Flow,
  type RawWindow,
  type SeriesRun,
} from '@meterflow/rules';
import type { DayFacts } from './isolate-day.ts';
import { windowBytes, windowColumns } from './isolate-windows.ts';
import type { DaySections } from './request.ts';

/** What travels with a day. Throws {@link RuleFailureError} where the flow looks at more readings than one run may. */
export function daySections(flow: Flow, run: SeriesRun): DaySections {
  const { batch, slots, unit, intervalMs, day, firstDay, clockShifts, closedThroughMs, tags } = run;
  const { meter = '', channel = '' } = batch.series[0] ?? {};
  const slotTotal = total(run.windows, ({ values }) => values.length);
  const registerTotal = total(run.windows, ({ registerValues }) => registerValues.length);
  if (slotTotal + registerTotal > windowReadingsMax) {
    throw new RuleFailureError(
      'rule-invalid',
      `flow "${flow.name}" looks at ${slotTotal + registerTotal} readings of meter ${meter}, ${windowReadingsMax} are the most: look back fewer days`,
    );
  }
  const facts: DayFacts = {
    ...{ meter, channel, unit, intervalMs, slots, day, firstDay, clockShifts, closedThroughMs, tags },
    startMs: [...run.startMs],
    emits: emitsOf(flow),
    windows: placedWindows(run.windows),
  };
  return {
    factsJson: JSON.stringify(facts),
    windows: filled(facts, run.windows, windowBytes(slotTotal, registerTotal)),
  };
}

/** Where each window's days lie when the windows lie one behind the other. */
function placedWindows(windows: readonly RawWindow[]): DayFacts['windows'] {
  let slots = 0;
  let registers = 0;
  return windows.map(({ channel, intervalMs, slotsFrom, registersFrom, values, registerValues }) => {
    const [slotBase, registerBase] = [slots, registers];
    slots += values.length;
    registers += registerValues.length;
    return {
      channel,
      intervalMs,
      slotsFrom: Array.from(slotsFrom, (from) => slotBase + from),
      registersFrom: Array.from(registersFrom, (from) => registerBase + from),
    };
  });
}

function filled(facts: DayFacts, windows: readonly RawWindow[], bytes: number): Uint8Array {
  const memory = new ArrayBuffer(bytes);
  const columns = windowColumns(memory, facts);
  let slots = 0;
  let registers = 0;
  for (const window of windows) {
    columns.values.set(window.values, slots);
    columns.quality.set(window.quality, slots);
    columns.unit.set(window.unit, slots);
    columns.registerStartMs.set(window.registerStartMs, registers);
    columns.registerValues.set(window.registerValues, registers);
    columns.registerQuality.set(window.registerQuality, registers);
    columns.registerUnit.set(window.registerUnit, registers);
    slots += window.values.length;
    registers += window.registerValues.length;
  }
  return new Uint8Array(memory);
}

function total(windows: readonly RawWindow[], of: (window: RawWindow) => number): number {
  return windows.reduce((sum, window) => sum + of(window), 0);
}
