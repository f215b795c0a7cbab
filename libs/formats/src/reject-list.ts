import type { Reject } from '@meterflow/receipts';
import { rejectsPerCallMax, rejectTextCharsMax } from './limits.ts';
import type { RowProblem } from './row.ts';

const lenient = new TextDecoder('utf-8');

/** Collects rejected lines and hands them over in groups. */
export class RejectList {
  count = 0;
  readonly #hand: (rejects: readonly Reject[]) => void;
  #rejects: Reject[] = [];

  constructor(hand: (rejects: readonly Reject[]) => void) {
    this.#hand = hand;
  }

  add(reject: {
    readonly line: number;
    readonly column: string;
    readonly problem: RowProblem;
    readonly text: string;
  }): void {
    const { line, column, problem, text } = reject;
    this.#rejects.push({
      line,
      column,
      code: problem.code,
      reason: problem.reason,
      text: text.slice(0, rejectTextCharsMax),
    });
    this.count += 1;
    if (this.#rejects.length === rejectsPerCallMax) {
      this.flush();
    }
  }

  /** To be called at the end of each push, so that no reject waits for the next. */
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
  return lenient.decode(bytes.subarray(from, Math.min(to, from + rejectTextCharsMax * 4))).replace(/\r$/, '');
}
