import { integerMax, powersOfTen } from '@meterflow/readings';
import type { Statement } from './judge.ts';
import type { SegmentDraft } from './segment-draft.ts';
import type { SegmentEncoder } from './segment-encoder.ts';

/** Readings of one series-day of any starts, lengths and decimals, one a row, in the order they were pushed. */
export class ReadingList {
  length = 0;
  startMs = new Float64Array(64);
  lengthMs = new Float64Array(64);
  value = new Float64Array(64);
  decimals = new Uint8Array(64);
  label = new Uint32Array(64);
  version = new Uint32Array(64);
  /** Who brought it: the batch's number in its group, -1 for what was stored. */
  batch = new Int32Array(64);

  reset(): void {
    this.length = 0;
  }

  push(startMs: number, lengthMs: number, says: Statement): number {
    if (this.length === this.startMs.length) {
      this.#grow();
    }
    const row = this.length++;
    this.startMs[row] = startMs;
    this.lengthMs[row] = lengthMs;
    this.value[row] = says.value;
    this.decimals[row] = says.decimals;
    this.label[row] = says.label;
    this.version[row] = says.version;
    this.batch[row] = -1;
    return row;
  }

  /** The rows by start, then length, then the order they were pushed. */
  sorted(): number[] {
    const { startMs, lengthMs } = this;
    return Array.from({ length: this.length }, (_, row) => row).sort(
      (a, b) =>
        (startMs[a] as number) - (startMs[b] as number) || (lengthMs[a] as number) - (lengthMs[b] as number) || a - b,
    );
  }

  statement(row: number, into: Statement): void {
    into.value = this.value[row] as number;
    into.decimals = this.decimals[row] as number;
    into.label = this.label[row] as number;
    into.version = this.version[row] as number;
  }

  /** Appends the given rows to a blob that was begun, in as few sets as their decimals allow. */
  encode(rows: readonly number[], dayStartMs: number, by: { encoder: SegmentEncoder; draft: SegmentDraft }): void {
    for (const row of rows) {
      this.#canonical(row);
    }
    let from = 0;
    while (from < rows.length) {
      const shared = new SharedDecimals();
      let to = from;
      while (
        to < rows.length &&
        shared.take(this.value[rows[to] as number] as number, this.decimals[rows[to] as number] as number)
      ) {
        to += 1;
      }
      this.#draw(rows.slice(from, to), shared.decimals, by.draft);
      by.encoder.append(by.draft, dayStartMs);
      from = to;
    }
  }

  #draw(rows: readonly number[], decimals: number, draft: SegmentDraft): void {
    draft.reset();
    draft.decimals = decimals;
    for (const row of rows) {
      const scale = powersOfTen[decimals - (this.decimals[row] as number)] as number;
      draft.place(this.startMs[row] as number, this.lengthMs[row] as number);
      draft.put((this.value[row] as number) * scale, this.label[row] as number, this.version[row] as number);
    }
  }

  /** Gives a value the fewest decimals that hold it. */
  #canonical(row: number): void {
    let value = this.value[row] as number;
    let decimals = this.decimals[row] as number;
    while (decimals > 0 && value % 10 === 0) {
      value /= 10;
      decimals -= 1;
    }
    this.value[row] = value;
    this.decimals[row] = decimals;
  }

  #grow(): void {
    const length = this.startMs.length * 4;
    const floats = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const copy = new Float64Array(length);
      copy.set(column);
      return copy;
    };
    const integers = (column: Uint32Array): Uint32Array<ArrayBuffer> => {
      const copy = new Uint32Array(length);
      copy.set(column);
      return copy;
    };
    this.startMs = floats(this.startMs);
    this.lengthMs = floats(this.lengthMs);
    this.value = floats(this.value);
    this.label = integers(this.label);
    this.version = integers(this.version);
    const decimals = new Uint8Array(length);
    decimals.set(this.decimals);
    this.decimals = decimals;
    const batch = new Int32Array(length);
    batch.set(this.batch);
    this.batch = batch;
  }
}

/** The decimals that a set's values share, as long as none of them then reaches 2^53. */
class SharedDecimals {
  decimals = 0;
  /** The greatest absolute integer among the values of each count of decimals. */
  readonly #greatest: number[] = [];

  /** False, and nothing taken, where the value would take the set past 2^53. */
  take(value: number, decimals: number): boolean {
    const shared = Math.max(this.decimals, decimals);
    const fits = (integer: number, from: number): boolean =>
      integer * (powersOfTen[shared - from] as number) <= integerMax;
    const absolute = Math.abs(value);
    if (!fits(absolute, decimals) || !this.#greatest.every(fits)) {
      return false;
    }
    this.decimals = shared;
    this.#greatest[decimals] = Math.max(this.#greatest[decimals] ?? 0, absolute);
    return true;
  }
}
