import type { BatchCursor, IsolateSettings } from './isolate-cursor.ts';
import type { LoadedStep, StepSource, WalkRange } from './isolate-flow.ts';
import type { Compile } from './isolate-lockdown.ts';
import type { ReadingState } from './isolate-memory.ts';
import type { Reading } from './isolate-reading.ts';
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
  readonly walk: (step: LoadedStep, run: { cursor: BatchCursor; reading: Reading }, range: WalkRange) => void;
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
  newTexts(): string;
  failures(): string;
}

/** Runs inside the isolate, as text: nothing in it may refer to anything outside but the types. */
export function makeFlow(parts: IsolateParts, memory: SharedArrayBuffer, settings: IsolateSettings): IsolateFlow {
  const compile = parts.takeAway();
  const columns = parts.sharedColumns(memory, settings.capacity);
  const cursor = new parts.BatchCursor(columns, settings);
  const reading = new parts.Reading(cursor);
  const walks: ((range: WalkRange) => void)[] = [];
  const walkText = parts.walk.toString();
  let textsKnown = 0;
  /**
   * Takes a rule over the batch, then once more, afresh, over its last reading alone. A rule that makes something else
   * of it then has a memory, and its results would depend on how readings were batched.
   */
  const walkChecked = (walk: (range: WalkRange) => void, spans: number, readings: number): void => {
    const last = readings - 1;
    const before = new parts.ReadingState(cursor, last);
    walk({ fromSpan: 0, toSpan: spans, first: 0, fromIndex: 0 });
    if (last < 1 || cursor.namesWanted) {
      return;
    }
    const after = new parts.ReadingState(cursor, last);
    const failures = cursor.failures.length;
    before.restore(cursor);
    walk({
      fromSpan: spans - 1,
      toSpan: spans,
      first: readings - (columns.count[spans - 1] as number),
      fromIndex: last,
    });
    const alone = new parts.ReadingState(cursor, last);
    after.restore(cursor);
    cursor.failures.length = failures;
    if (!alone.equals(after)) {
      columns.control[7] = 1;
      throw new Error('it remembers earlier readings: the last one of a batch comes out differently by itself');
    }
  };
  Object.freeze(parts.Reading.prototype);
  parts.freezeAll();

  return {
    load(stepJson) {
      try {
        const step = parts.loadStep(compile, JSON.parse(stepJson) as StepSource, walks.length);
        const walk = compile(`return ${walkText}`)() as IsolateParts['walk'];
        const run = { cursor, reading };
        walks.push((range) => {
          walk(step, run, range);
        });
        return '';
      } catch (error) {
        return cursor.explain(error);
      }
    },
    run(texts, names) {
      const [spans, readings, from, to] = columns.control as unknown as [number, number, number, number];
      if (from === 0) {
        const list = texts.split('\n');
        textsKnown = list.length;
        cursor.begin(list, names);
      }
      const wanted = (): boolean => cursor.namesWanted;
      for (let step = from; step < to && !wanted(); step++) {
        columns.control[6] = step;
        try {
          walkChecked(walks[step] as (typeof walks)[number], spans, readings);
        } catch (error) {
          if (!wanted()) {
            throw error;
          }
        }
      }
      let any = wanted() ? 256 : 0;
      for (let index = 0; index < readings; index++) {
        any |= columns.changes[index] as number;
      }
      columns.control[5] = any;
      columns.control[4] = 1;
    },
    newTexts: () => cursor.texts.slice(textsKnown).join('\n'),
    failures: () => JSON.stringify(cursor.failures),
  };
}
