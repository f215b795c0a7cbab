import type { BatchCursor } from './isolate-cursor.ts';
import type { DayFacts, Days } from './isolate-day.ts';
import type { LoadedStep, WalkRange } from './isolate-flow.ts';
import type { ReadingState, walkChecked } from './isolate-memory.ts';
import type { IsolateFlow, IsolateParts } from './isolate-main.ts';
import type { Reading } from './isolate-reading.ts';
import type { SharedColumns } from './shared-layout.ts';

// These functions run inside an isolate, as text: nothing in them may refer to anything outside but the types.

/** The part of an isolate's flow that runs days; `begin` takes over the texts and names of a run. */
export interface DayFlow {
  readonly columns: SharedColumns;
  readonly cursor: BatchCursor;
  readonly reading: Reading;
  readonly steps: readonly LoadedStep[];
  readonly walks: readonly ((range: WalkRange) => void)[];
  readonly begin: (texts: string, names: string) => void;
}

/** Makes the call that runs the steps named in `control` over a day; it begins the day with step 0. */
export function dayRunner(parts: IsolateParts, flow: DayFlow): IsolateFlow['runDay'] {
  const { columns, cursor, reading } = flow;
  const { ReadingState, DayReading, RawReading } = parts;
  const places = new parts.DayPlaces(cursor, reading, {
    ...{ DayReading, RawReading, placesKeptMax: 20_000, listsKeptMax: 200 },
  });
  let days: Days | undefined;
  return (texts, factsJson, memory) => {
    const [spans, readings, from] = columns.control as unknown as [number, number, number];
    if (from === 0) {
      const facts = JSON.parse(factsJson) as DayFacts;
      flow.begin(texts, `${facts.meter}\n${facts.channel}`);
      const windows = parts.windowColumns(memory, facts);
      days = new parts.Days(places, facts, { readings, spans, capacity: columns.values.length, windows });
    }
    const run = { cursor, days: days as Days, ReadingState };
    parts.leaveAny(columns, parts.walkDay(flow, run, parts));
    columns.control[4] = 1;
  };
}

/** What a day is walked with. */
export interface DayRun {
  readonly cursor: BatchCursor;
  readonly days: Days;
  readonly ReadingState: new (cursor: BatchCursor, index: number) => ReadingState;
}

/**
 * Takes the steps named in `control` over the day: rules with `onReading` reading by reading, those with `onSeries` at
 * once. Returns how many readings the columns then hold, those emitted among them. Throws what fails the day.
 */
export function walkDay(
  flow: Pick<DayFlow, 'steps' | 'walks' | 'columns'>,
  run: DayRun,
  parts: { readonly walkChecked: typeof walkChecked; readonly callDay: typeof callDay },
): number {
  const { cursor, days, ReadingState: State } = run;
  const { control } = flow.columns;
  const [spans, readings, from, to] = control as unknown as [number, number, number, number];
  for (let step = from; step < to; step++) {
    control[6] = step;
    control[7] = 0;
    const loaded = flow.steps[step] as LoadedStep;
    try {
      if (loaded.series === undefined) {
        parts.walkChecked(cursor, flow.walks[step] as (typeof flow.walks)[number], {
          spans,
          readings,
          ReadingState: State,
        });
      } else {
        parts.callDay(loaded, run, readings);
      }
      if (cursor.overflowing) {
        throw cursor.nonsense('it sets more different texts than a day may have');
      }
    } catch (error) {
      control[7] = cursor.codeOf(error) === 'rule-threw' ? 0 : 1;
      // Only a text leaves the isolate: what was thrown may do anything when it is looked at.
      throw new Error(cursor.explain(error));
    }
  }
  control[8] = days.emitted;
  return readings + days.emitted;
}

/**
 * Calls a rule with `onSeries` once for the day, in the isolate, as text. Where its severity leaves it out when it
 * fails, all that it did is undone.
 */
export function callDay(step: LoadedStep, run: DayRun, readings: number): void {
  const { cursor, days } = run;
  const { series, severity, index } = step;
  if (series === undefined || step.takes?.(days.facts.meter, days.facts.channel) === false) {
    return;
  }
  const isSoft = severity !== 'terminate';
  const before = isSoft
    ? Array.from({ length: readings }, (_, reading) => new run.ReadingState(cursor, reading))
    : undefined;
  const emitted = days.emitted;
  const tags: Record<string, unknown> = {};
  series.tags.forEach((name) => {
    if (Object.hasOwn(days.facts.tags, name)) {
      Object.defineProperty(tags, name, { value: days.facts.tags[name], enumerable: true });
    }
  });
  try {
    const context = Object.freeze({ parameters: step.context.parameters, tags: Object.freeze(tags) });
    if (step.instantiateSeries().onSeries(days.view(series), context) !== undefined) {
      throw cursor.nonsense("onSeries must return nothing: change the day itself (and it can't be async)");
    }
  } catch (error) {
    if (before === undefined) {
      throw error;
    }
    before.forEach((state) => {
      state.restore(cursor);
    });
    days.keepEmitted(emitted);
    cursor.index = 0;
    cursor.failDay(index, error, { severity, readings });
  }
}
