import type { BatchCursor } from './isolate-cursor.ts';
import type { WalkRange } from './isolate-flow.ts';

/**
 * All that a rule can change of one reading. Runs inside the isolate, as text: nothing in it may refer to anything
 * outside but the types.
 */
export class ReadingState {
  readonly index: number;
  readonly value: number;
  readonly changes: number;
  readonly quality: number;
  readonly unit: number;
  readonly method: number;
  readonly reason: number;

  constructor(cursor: BatchCursor, index: number) {
    this.index = index;
    this.value = cursor.values[index] as number;
    this.changes = cursor.changes[index] as number;
    this.quality = cursor.quality[index] as number;
    this.unit = cursor.unit[index] as number;
    this.method = cursor.method[index] as number;
    this.reason = cursor.reason[index] as number;
  }

  restore(cursor: BatchCursor): void {
    cursor.values[this.index] = this.value;
    cursor.changes[this.index] = this.changes;
    cursor.quality[this.index] = this.quality;
    cursor.unit[this.index] = this.unit;
    cursor.method[this.index] = this.method;
    cursor.reason[this.index] = this.reason;
  }

  equals(other: ReadingState): boolean {
    return (
      Object.is(this.value, other.value) &&
      this.changes === other.changes &&
      this.quality === other.quality &&
      this.unit === other.unit &&
      this.method === other.method &&
      this.reason === other.reason
    );
  }
}

/**
 * Takes a rule over the batch, then once more, afresh, over its last reading alone. False when that comes out
 * differently: then the rule has a memory, and its results would depend on how readings were batched. Runs inside the
 * isolate, as text.
 */
export function walkChecked(
  cursor: BatchCursor,
  walk: (range: WalkRange) => void,
  batch: {
    readonly spans: number;
    readonly readings: number;
    readonly ReadingState: new (cursor: BatchCursor, index: number) => ReadingState;
  },
): boolean {
  const { spans, readings, ReadingState: State } = batch;
  const last = readings - 1;
  const before = new State(cursor, last);
  walk({ fromSpan: 0, toSpan: spans, first: 0, fromIndex: 0 });
  if (last < 1 || cursor.namesWanted) {
    return true;
  }
  const after = new State(cursor, last);
  const failures = cursor.failures.length;
  before.restore(cursor);
  walk({ fromSpan: spans - 1, toSpan: spans, first: readings - (cursor.count[spans - 1] as number), fromIndex: last });
  const alone = new State(cursor, last);
  after.restore(cursor);
  cursor.failures.length = failures;
  return alone.equals(after);
}
