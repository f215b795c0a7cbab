import type { BatchCursor } from './isolate-cursor.ts';

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
