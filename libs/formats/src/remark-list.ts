import { utcText, type SeriesName } from '@meterflow/readings';
import type { Remark, RemarkCounts } from '@meterflow/receipts';
import { remarksPerCodeMax } from './limits.ts';
import type { LocalClock } from './local-clock.ts';
import type { Span } from './series-coverage.ts';

const hourMs = 3_600_000;

/** Collects what is noticed about lines that are taken. All of it is counted; the first of each code are kept. */
export class RemarkList {
  readonly #hand: (remarks: readonly Remark[]) => void;
  #remarks: Remark[] = [];
  #repeated = 0;
  #gaps = 0;
  #missing = 0;
  /** Of the other codes. */
  readonly #noted = new Map<string, number>();

  readonly #clock: LocalClock | undefined;

  /** The clock that the stamps are of, where they are local ones. */
  constructor(hand: (remarks: readonly Remark[]) => void, clock?: LocalClock) {
    this.#hand = hand;
    this.#clock = clock;
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

  /**
   * Told of at the line after it; as what it is where a source brings an hour once that the clocks show twice. A hole that is
   * shorter than a reading, as where clocks change, is none.
   */
  gap(name: SeriesName, before: Span, after: Span): void {
    const lengthMs = Number.isNaN(after.lengthMs) ? before.lengthMs : after.lengthMs;
    const missing = Math.floor((after.fromMs - before.toMs) / lengthMs);
    if (!(missing >= 1)) {
      return;
    }
    this.#gaps += 1;
    this.#missing += missing;
    const foldMs = this.#clock?.foldAt(before.toMs, after.fromMs);
    if (foldMs !== undefined) {
      const reason = collapsedReason(foldMs, { missing, fromMs: before.toMs, toMs: after.fromMs });
      this.note(name, { line: after.line, code: 'collapsed-hour', reason });
      return;
    }
    if (this.#gaps <= remarksPerCodeMax) {
      const reason = `${missingText(missing)} before it, from ${utcText(before.toMs)} to ${utcText(after.fromMs)}`;
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

function missingText(missing: number): string {
  return missing === 1 ? '1 reading is missing' : `${missing} readings are missing`;
}

/** The local time `foldMs` is shown twice, and what is shown from then on came once. */
function collapsedReason(
  foldMs: number,
  { missing, fromMs, toMs }: { readonly missing: number; readonly fromMs: number; readonly toMs: number },
): string {
  const local = (ms: number): string => utcText(ms).slice(11, 16);
  const twice = `${local(foldMs)} to ${local(foldMs + toMs - fromMs)}`;
  const hours = 24 + (toMs - fromMs) / hourMs;
  const told = `on ${utcText(foldMs).slice(0, 10)}, a day of ${hours} hours, the clocks show ${twice} twice, and it came once`;
  return `${told}: ${missingText(missing)}, from ${utcText(fromMs)} to ${utcText(toMs)}`;
}

function seriesText({ meter, channel }: SeriesName): string {
  return `${meter},${channel}`;
}
