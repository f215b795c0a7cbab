import type { BatchCursor } from './isolate-cursor.ts';
import type { Days } from './isolate-day.ts';
import type { LoadedStep, WalkRange } from './isolate-flow.ts';
import type { ReadingState } from './isolate-memory.ts';
import type { IsolateFlow, IsolateParts } from './isolate-main.ts';
import type { DayPlaces } from './isolate-places.ts';
import type { Reading } from './isolate-reading.ts';
import type { ToldFacts } from './isolate-run.ts';
import type { SharedColumns } from './shared-layout.ts';

// These functions run inside an isolate, as text: nothing in them may refer to anything outside but the types.

/** The part of an isolate's flow that runs days; `begin` takes over the texts and names of a run, `end` ends it. */
export interface DayFlow {
  readonly columns: SharedColumns;
  readonly cursor: BatchCursor;
  readonly reading: Reading;
  readonly steps: readonly LoadedStep[];
  readonly walks: readonly ((range: WalkRange) => void)[];
  readonly begin: (texts: string, names: string) => void;
  readonly end: () => void;
}

/** Makes the calls that run days. `runDays` runs the steps named in `control`, and begins the run with step 0. */
export function dayRunner(parts: IsolateParts, flow: DayFlow): Pick<IsolateFlow, 'runDays' | 'dayFailures'> {
  const { columns, cursor, reading } = flow;
  const { ReadingState, DayPlaces: Places, DayReading, ShownValues, columnFor, minuteOfDay, reachOf } = parts;
  const placeParts = { DayReading, minuteOfDay, reading, nowhere: -(2 ** 30), columnFor };
  const makePlaces = (isOwn: boolean): DayPlaces => new Places(cursor, isOwn, placeParts);
  const capacity = columns.values.length;
  const around = new parts.DaysAround({
    ...{ makePlaces: () => makePlaces(false), ShownValues, columnFor, placesKeptMax: 20_000 },
  });
  const emissions = new parts.Emissions(cursor, { reading, capacity });
  const days = new parts.Days(cursor, {
    ...{ around, emissions, makePlaces: () => makePlaces(true), ShownValues, reachOf },
    ...{ OwnDay: parts.OwnDay, AroundDay: parts.AroundDay },
  });
  const run = { cursor, days, ReadingState };
  let memory: ArrayBufferLike | undefined;
  return {
    runDays(texts, factsJson, otherMemory) {
      const [spans, readings, from] = columns.control as unknown as [number, number, number];
      memory = otherMemory ?? memory;
      if (from === 0) {
        const told = JSON.parse(factsJson) as ToldFacts;
        const { windows, ...columns } = parts.runColumns(memory as ArrayBufferLike, told);
        flow.begin(texts, `${told.meter}\n${told.channel}`);
        days.begin({ ...told, ...columns }, { windows, readings, spans });
      }
      days.rewind();
      parts.walkDays(flow, run, parts);
      columns.control[8] = days.emissions.countAll;
      columns.control[10] = days.failedCount;
      parts.leaveAny(columns, readings + days.emissions.countAll);
      days.leave();
      flow.end();
      columns.control[4] = 1;
    },
    dayFailures: () => days.failures,
  };
}

/** What days are walked with. */
export interface DayRun {
  readonly cursor: BatchCursor;
  readonly days: Days;
  readonly ReadingState: new (cursor: BatchCursor, index: number) => ReadingState;
}

/**
 * Takes the steps named in `control` over the days, day by day: rules with `onReading` reading by reading, those with
 * `onSeries` at once. A day that fails is told, and the others go on. Throws where days that share what one may use up
 * (texts, room for what they emit) came to its end: then each has to be run alone.
 */
export function walkDays(
  flow: Pick<DayFlow, 'steps' | 'walks' | 'columns'>,
  run: DayRun,
  parts: Pick<IsolateParts, 'callDay'>,
): void {
  const { cursor, days } = run;
  const { control } = flow.columns;
  const [from, to] = [control[2] as number, control[3] as number];
  while (days.next()) {
    for (let step = from; step < to && !days.hasFailed; step++) {
      control[6] = step;
      try {
        const loaded = flow.steps[step] as LoadedStep;
        if (loaded.series === undefined) {
          const { range } = days;
          (flow.walks[step] as (typeof flow.walks)[number])({ ...range, first: range.from, fromIndex: range.from });
        } else {
          parts.callDay(loaded, run);
        }
        if (cursor.overflowing) {
          throw cursor.nonsense('it sets more different texts than a day may have');
        }
      } catch (error) {
        // Only a text leaves the isolate: what was thrown may do anything when it is looked at, so the day is undone after that.
        const failure = { step, code: cursor.codeOf(error), message: cursor.explain(error) };
        days.fail(failure);
      }
      if (days.count > 1 && (cursor.overflowing || days.emissions.crowded)) {
        control[9] = 1;
        throw new Error('the days are to be run one by one');
      }
    }
  }
}

/**
 * Calls a rule with `onSeries` once for the day, in the isolate, as text. The rule is evaluated anew for it: nothing is
 * left of the day before. Where its severity leaves it out when it fails, all that it did is undone.
 */
export function callDay(step: LoadedStep, run: DayRun): void {
  const { cursor, days } = run;
  const { series, severity } = step;
  if (series === undefined || step.takes?.(days.series.meter, days.series.channel) === false) {
    return;
  }
  const { from, to } = days.range;
  const before =
    severity === 'terminate'
      ? undefined
      : Array.from({ length: to - from }, (_, reading) => new run.ReadingState(cursor, from + reading));
  const emitted = days.emissions.count;
  try {
    const onSeries = step.instantiateSeries();
    const reach = days.reach(series);
    if (onSeries(days.view(reach), days.context(reach, series, step.context)) !== undefined) {
      throw cursor.nonsense("onSeries must return nothing: change the day itself (and it can't be async)");
    }
  } catch (error) {
    if (before === undefined) {
      throw error;
    }
    const failure = { step: step.index, code: cursor.codeOf(error), message: cursor.explain(error) };
    before.forEach((state) => {
      state.restore(cursor);
    });
    // What was shown of the day is not what stands there any more.
    cursor.marks += 1;
    days.emissions.keep(emitted);
    cursor.failDay(failure, { severity, from, to });
  }
}
