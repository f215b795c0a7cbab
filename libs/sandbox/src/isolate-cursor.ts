import type { Cursor } from './isolate-reading.ts';
import type { SharedColumns } from './shared-layout.ts';

/** What the host tells an isolate once. */
export interface IsolateSettings {
  readonly capacity: number;
  readonly qualities: readonly string[];
  readonly units: readonly string[];
  readonly textCharsMax: number;
  readonly failuresShownMax: number;
}

/** A failure of one reading: where, in which step, and what it said. */
export interface IsolateFailure {
  readonly index: number;
  readonly step: number;
  readonly code: string;
  readonly message: string;
}

export interface BatchCursor extends Cursor {
  /** True once a rule asked for names that the batch came without. */
  namesWanted: boolean;
  failures: IsolateFailure[];
  begin(texts: string[], names: string | undefined): void;
  fail(step: number, error: unknown): void;
  /** Text of anything that was thrown, whatever it does when it is looked at. */
  explain(error: unknown): string;
}

/** Runs inside the isolate, as text: nothing in it may refer to anything outside but the types. */
export function makeCursor(columns: SharedColumns, settings: IsolateSettings): BatchCursor {
  const control = /[\u0000-\u001f\u007f\u2028\u2029\ud800-\udfff]/u;
  let indexes = new Map<string, number>();
  let joinedNames: string | undefined;
  let names: string[] | undefined;
  let nonsense: Error | undefined;

  const cursor: BatchCursor = {
    ...columns,
    index: -1,
    span: 0,
    first: 0,
    qualities: settings.qualities,
    texts: [''],
    lastUnit: undefined,
    lastUnitIndex: 0,
    lastText: undefined,
    lastTextIndex: 0,
    namesWanted: false,
    failures: [],
    mark(bit) {
      columns.changes[cursor.index] = (columns.changes[cursor.index] as number) | bit;
    },
    nonsense(message) {
      nonsense = new TypeError(message);
      return nonsense;
    },
    textIndex(text, what) {
      if (typeof text !== 'string' || text.length > settings.textCharsMax || control.test(text)) {
        throw cursor.nonsense(`${what} must be a text of at most ${settings.textCharsMax} printable characters`);
      }
      let index = indexes.get(text);
      if (index === undefined) {
        index = cursor.texts.push(text) - 1;
        indexes.set(text, index);
      }
      cursor.lastText = text;
      cursor.lastTextIndex = index;
      return index;
    },
    unitIndex(unit) {
      if (!settings.units.includes(unit as string)) {
        throw cursor.nonsense(`unit must be one of ${settings.units.join(', ')}`);
      }
      cursor.lastUnit = unit as string;
      cursor.lastUnitIndex = cursor.textIndex(unit, 'unit');
      return cursor.lastUnitIndex;
    },
    names() {
      if (names === undefined) {
        if (joinedNames === undefined) {
          cursor.namesWanted = true;
          throw new Error('names are on their way');
        }
        names = joinedNames.split('\n');
      }
      return names;
    },
    begin(texts, joined) {
      cursor.texts = texts;
      indexes = new Map(texts.map((text, index) => [text, index]));
      cursor.lastUnit = undefined;
      cursor.lastText = undefined;
      joinedNames = joined;
      names = undefined;
      nonsense = undefined;
      cursor.failures = [];
      cursor.namesWanted = false;
    },
    fail(step, error) {
      const code = error === nonsense ? 'rule-returned-nonsense' : 'rule-threw';
      const { index } = cursor;
      cursor.reason[index] = cursor.textIndex(`rule-failed:${code}`, 'reason');
      cursor.mark(64);
      if (cursor.failures.length < settings.failuresShownMax) {
        cursor.failures.push({ index, step, code, message: cursor.explain(error) });
      }
    },
    explain(error) {
      try {
        const { message, stack } = Object(error) as { message: unknown; stack: unknown };
        const line = /<rule>:(\d+):(\d+)/.exec(String(stack));
        const text = typeof message === 'string' ? message : `it threw ${String(error)}`;
        const place = line === null ? '' : ` (line ${Number(line[1]) - 3})`;
        return text.slice(0, 300).replace(/[\u0000-\u001f]/g, ' ') + place;
      } catch {
        return 'it threw something that can\'t be shown';
      }
    },
  };
  return cursor;
}
