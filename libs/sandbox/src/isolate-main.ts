import type { BatchCursor, IsolateSettings } from './isolate-cursor.ts';
import type { LoadedStep, StepSource, WalkRange } from './isolate-flow.ts';
import type { Compile } from './isolate-lockdown.ts';
import type { ReadingState, walkChecked } from './isolate-memory.ts';
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
  readonly walkChecked: typeof walkChecked;
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
  const { ReadingState } = parts;
  const walks: ((range: WalkRange) => void)[] = [];
  const walkText = parts.walk.toString();
  let textsKnown = 0;
  // A rule that could make readings of its own would choose what their private fields hold.
  Reflect.deleteProperty(parts.Reading.prototype as object, 'constructor');
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
          const checked = parts.walkChecked(cursor, walks[step] as (typeof walks)[number], {
            spans,
            readings,
            ReadingState,
          });
          columns.control[7] = cursor.overflowing || !checked ? 1 : 0;
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
      let any = 0;
      // Four at a time; the bytes after the last reading are zero.
      for (let word = 0; word * 4 < readings; word++) {
        any |= columns.changeWords[word] as number;
      }
      columns.control[5] = (any | (any >>> 8) | (any >>> 16) | (any >>> 24)) & 255;
      if (wanted()) {
        columns.control[5] = 256;
      }
      columns.control[4] = 1;
    },
    newTexts: () => cursor.texts.slice(textsKnown).join('\n'),
    failures: () => JSON.stringify(cursor.failures),
  };
}
