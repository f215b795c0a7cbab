import type { DaysAround } from './isolate-around.ts';
import type { BatchCursor, IsolateSettings } from './isolate-cursor.ts';
import type { Days } from './isolate-day.ts';
import type { Emissions } from './isolate-emissions.ts';
import type { LoadedStep, StepSource, walk, WalkRange } from './isolate-flow.ts';
import type { callDay, dayRunner, walkDays } from './isolate-walk-day.ts';
import type { Compile } from './isolate-lockdown.ts';
import type { ReadingState, walkChecked } from './isolate-memory.ts';
import type { DayPlaces, DayReading, minuteOfDay } from './isolate-places.ts';
import type { reachOf } from './isolate-reach.ts';
import type { Reading } from './isolate-reading.ts';
import type { columnFor, ShownValues } from './isolate-shown.ts';
import type { AroundDay, OwnDay } from './isolate-views.ts';
import type { runColumns } from './isolate-windows.ts';
import type { SharedColumns } from './shared-layout.ts';

/** What {@link makeFlow} is put together from; each is one of the functions that travel as text. */
export interface IsolateParts {
  readonly takeAway: () => Compile;
  readonly freezeAll: () => void;
  readonly sharedColumns: (memory: SharedArrayBuffer, capacity: number) => SharedColumns;
  readonly BatchCursor: new (columns: SharedColumns, settings: IsolateSettings) => BatchCursor;
  readonly Reading: new (cursor: BatchCursor) => Reading;
  readonly loadStep: (compile: Compile, source: StepSource, index: number) => LoadedStep;
  readonly ReadingState: new (cursor: BatchCursor, index: number) => ReadingState;
  readonly walkChecked: typeof walkChecked;
  readonly walk: typeof walk;
  readonly callDay: typeof callDay;
  readonly walkDays: typeof walkDays;
  readonly dayRunner: typeof dayRunner;
  readonly Days: typeof Days;
  readonly Emissions: typeof Emissions;
  readonly reachOf: typeof reachOf;
  readonly ShownValues: typeof ShownValues;
  readonly columnFor: typeof columnFor;
  readonly DayPlaces: typeof DayPlaces;
  readonly DayReading: typeof DayReading;
  readonly DaysAround: typeof DaysAround;
  readonly OwnDay: typeof OwnDay;
  readonly AroundDay: typeof AroundDay;
  readonly minuteOfDay: typeof minuteOfDay;
  readonly leaveAny: typeof leaveAny;
  readonly walkBatch: typeof walkBatch;
  readonly runColumns: typeof runColumns;
}

/** The calls that the child makes into an isolate; numbers and strings alone cross. */
export interface IsolateFlow {
  /** Loads the next step; returns what is wrong with it, or ''. */
  load(stepJson: string): string;
  /**
   * Takes the steps named in `control` over the batch in the shared columns; begins the batch with step 0. Texts (and
   * names) are joined with line feeds. Leaves all bits of `changes` together in `control`, 256 when a rule wants the
   * names that were not given.
   */
  run(texts: string, names: string | undefined): void;
  /**
   * The same over local days of a series, each by itself. Leaves in `control` how many readings follow those of the days:
   * the emitted ones. `windows` is the memory that their other columns come in, where it is another than before.
   */
  runDays(texts: string, factsJson: string, windows: SharedArrayBuffer | undefined): void;
  /** Which of the days failed as a whole, as JSON. */
  dayFailures(): string;
  newTexts(): string;
  failures(): string;
}

/** Runs inside the isolate, as text: nothing in it may refer to anything outside but the types. */
export function makeFlow(parts: IsolateParts, memory: SharedArrayBuffer, settings: IsolateSettings): IsolateFlow {
  const compile = parts.takeAway();
  const columns = parts.sharedColumns(memory, settings.capacity);
  const cursor = new parts.BatchCursor(columns, settings);
  const reading = new parts.Reading(cursor);
  const { ReadingState } = parts;
  const walks: ((range: WalkRange) => void)[] = [];
  const steps: LoadedStep[] = [];
  const walkText = parts.walk.toString();
  let textsKnown = 0;
  let textsTold = 0;
  // A rule that could make readings of its own would choose what their private fields hold; and one that could write on
  // their methods would remember there.
  [parts.Reading, parts.DayReading, parts.OwnDay, parts.AroundDay].forEach(({ prototype }) => {
    Reflect.deleteProperty(prototype as object, 'constructor');
    Object.values(Object.getOwnPropertyDescriptors(prototype as object)).forEach((descriptor) => {
      Object.values(descriptor).forEach((each: unknown) => Object.freeze(each));
    });
    Object.freeze(prototype);
  });
  parts.freezeAll();
  const begin = (texts: string, names: string | undefined): void => {
    const list = texts.split('\n');
    textsKnown = list.length;
    cursor.begin(list, names);
  };
  const end = (): void => {
    textsTold = cursor.texts.length;
  };
  return {
    load(stepJson) {
      try {
        const step = parts.loadStep(compile, JSON.parse(stepJson) as StepSource, walks.length);
        const walk = compile(`return ${walkText}`)() as IsolateParts['walk'];
        const run = { cursor, reading, ReadingState };
        steps.push(step);
        walks.push((range) => {
          walk(step, run, range);
        });
        return '';
      } catch (error) {
        return cursor.explain(error);
      }
    },
    run(texts, names) {
      const [, readings, from] = columns.control as unknown as [number, number, number];
      if (from === 0) {
        begin(texts, names);
      }
      const wanted = parts.walkBatch({ columns, walks, ReadingState }, cursor, parts);
      parts.leaveAny(columns, readings);
      if (wanted) {
        columns.control[5] = 256;
      }
      end();
      columns.control[4] = 1;
    },
    ...parts.dayRunner(parts, { columns, cursor, reading, steps, walks, begin, end }),
    // What a promise that a rule left behind set after the end is not told.
    newTexts: () => cursor.texts.slice(textsKnown, textsTold).join('\n'),
    failures: () => JSON.stringify(cursor.failures),
  };
}

/** Leaves all bits of `changes` together in `control`. Runs inside the isolate, as text. */
export function leaveAny(columns: SharedColumns, readings: number): void {
  let any = 0;
  // Four at a time; the bytes after the last reading are zero.
  for (let word = 0; word * 4 < readings; word++) {
    any |= columns.changeWords[word] as number;
  }
  columns.control[5] = (any | (any >>> 8) | (any >>> 16) | (any >>> 24)) & 255;
}

/** Takes the steps named in `control` over the batch; true when a rule wants names that it came without. As text. */
export function walkBatch(
  flow: {
    readonly columns: SharedColumns;
    readonly walks: readonly ((range: WalkRange) => void)[];
    readonly ReadingState: new (cursor: BatchCursor, index: number) => ReadingState;
  },
  cursor: BatchCursor,
  parts: { readonly walkChecked: typeof walkChecked },
): boolean {
  const { columns, walks, ReadingState: State } = flow;
  const { control } = columns;
  const [spans, readings, from, to] = control as unknown as [number, number, number, number];
  const wanted = (): boolean => cursor.namesWanted;
  for (let step = from; step < to && !wanted(); step++) {
    control[6] = step;
    try {
      const checked = parts.walkChecked(cursor, walks[step] as (typeof walks)[number], {
        spans,
        readings,
        ReadingState: State,
      });
      control[7] = cursor.overflowing || !checked ? 1 : 0;
      if (cursor.overflowing) {
        throw new Error('it sets more different texts than a batch may have');
      }
      if (!checked) {
        throw new Error('it remembers earlier readings: the last one of a batch comes out differently by itself');
      }
    } catch (error) {
      if (!wanted()) {
        // Only a text leaves the isolate: what was thrown may do anything when it is looked at.
        throw new Error(cursor.explain(error));
      }
    }
  }
  return wanted();
}
