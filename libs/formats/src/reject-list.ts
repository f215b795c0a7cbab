import { rejectsKeptMax, rejectTextCharsMax, type Reject } from '@meterflow/receipts';
import { rejectsPerCallMax } from './limits.ts';
import type { RowProblem } from './row.ts';
import { isLeftOut } from './sequence/left-out.ts';
import { latin1Text, printableEnd } from './text-line.ts';

const lenient = new TextDecoder('utf-8');

/** Counts rejected lines, and hands the first ones, {@link rejectsKeptMax} unless told, over in groups. */
export class RejectList {
  count = 0;
  /** Those of them that are no bad lines: see `leftOutCodes`. */
  leftOut = 0;
  readonly #hand: (rejects: readonly Reject[]) => void;
  readonly #keptMax: number;
  #rejects: Reject[] = [];

  constructor(hand: (rejects: readonly Reject[]) => void, keptMax: number = rejectsKeptMax) {
    this.#hand = hand;
    this.#keptMax = keptMax;
  }

  /** `text` is asked for where the line is kept. */
  add(reject: {
    readonly line: number;
    readonly column: string;
    readonly problem: RowProblem;
    readonly text: () => string;
  }): void {
    this.count += 1;
    this.leftOut += isLeftOut(reject.problem.code) ? 1 : 0;
    if (this.count > this.#keptMax) {
      return;
    }
    const { line, column, problem, text } = reject;
    this.#rejects.push({
      line,
      column,
      code: problem.code,
      reason: problem.reason,
      text: text().slice(0, rejectTextCharsMax),
    });
    if (this.#rejects.length === rejectsPerCallMax) {
      this.flush();
    }
  }

  /** To be called at the end of each step, so that no reject waits for the next. */
  flush(): void {
    if (this.#rejects.length > 0) {
      const rejects = this.#rejects;
      this.#rejects = [];
      this.#hand(rejects);
    }
  }
}

/** The beginning of a line as text, whatever its bytes, without its carriage return. */
export function lineText(bytes: Uint8Array, from: number, to: number): string {
  // Four bytes at most make a character of UTF-8.
  const end = Math.min(to, from + rejectTextCharsMax * 4);
  return printableEnd(bytes, from, end) === end
    ? latin1Text(bytes, from, end)
    : lenient.decode(bytes.subarray(from, end)).replace(/\r$/, '');
}
