import { utcText, type SeriesName } from '@meterflow/readings';
import type { Remark, RemarkCounts } from '@meterflow/receipts';
import { remarksPerCodeMax } from './limits.ts';
import type { Span } from './series-coverage.ts';

/** Collects what is noticed about lines that are taken. All of it is counted; the first of each code are kept. */
export class RemarkList {
  readonly #hand: (remarks: readonly Remark[]) => void;
  #remarks: Remark[] = [];
  #repeated = 0;
  #gaps = 0;
  #missing = 0;
  /** Of the other codes. */
  readonly #noted = new Map<string, number>();

  constructor(hand: (remarks: readonly Remark[]) => void) {
    this.#hand = hand;
  }

  get counts(): Omit<RemarkCounts, 'assumed'> {
    return { repeated: this.#repeated, gaps: this.#gaps, missing: this.#missing };
  }

  repeated(name: SeriesName, { line, startMs }: { readonly line: number; readonly startMs: number }): void {
    this.#repeated += 1;
    if (this.#repeated <= remarksPerCodeMax) {
      this.#add({
        line,
        code: 'repeated',
        reason: `repeats the reading of ${utcText(startMs)}`,
        text: seriesText(name),
      });
    }
  }

  /** Told of at the line after it. A hole that is shorter than a reading, as where clocks change, is none. */
  gap(name: SeriesName, before: Span, after: Span): void {
    const lengthMs = Number.isNaN(after.lengthMs) ? before.lengthMs : after.lengthMs;
    const missing = Math.floor((after.fromMs - before.toMs) / lengthMs);
    if (!(missing >= 1)) {
      return;
    }
    this.#gaps += 1;
    this.#missing += missing;
    if (this.#gaps <= remarksPerCodeMax) {
      const count = missing === 1 ? '1 reading is' : `${missing} readings are`;
      const reason = `${count} missing before it, from ${utcText(before.toMs)} to ${utcText(after.fromMs)}`;
      this.#add({ line: after.line, code: 'gap', reason, text: seriesText(name) });
    }
  }

  /** Anything else about one line. */
  note(name: SeriesName, { line, code, reason }: Pick<Remark, 'line' | 'code' | 'reason'>): void {
    const noted = (this.#noted.get(code) ?? 0) + 1;
    this.#noted.set(code, noted);
    if (noted <= remarksPerCodeMax) {
      this.#add({ line, code, reason, text: seriesText(name) });
    }
  }

  /** To be called at the end of each push, so that no remark waits for the next. */
  flush(): void {
    if (this.#remarks.length > 0) {
      const remarks = this.#remarks;
      this.#remarks = [];
      this.#hand(remarks);
    }
  }

  #add(remark: Omit<Remark, 'column'>): void {
    this.#remarks.push({ column: '', ...remark });
  }
}

function seriesText({ meter, channel }: SeriesName): string {
  return `${meter},${channel}`;
}
