import { afterByteOrderMark } from './byte-order-mark.ts';
import { JsonRows } from './json-rows.ts';
import { InvalidJsonError, parseJson } from './json-value.ts';
import { LineSplitter } from './line-splitter.ts';
import { costlyLinesPerStep } from './limits.ts';
import { lineText } from './reject-list.ts';
import type { RowSource, RowSourceOptions } from './row-source.ts';
import type { RowProblem } from './row.ts';
import type { Steps } from './steps.ts';
import { lineProblem, textOfLine } from './text-line.ts';

const lineFeed = 10;

/** Newline-delimited JSON: one object a line. */
export class NdjsonSource implements RowSource {
  readonly #options: RowSourceOptions;
  readonly #rows: JsonRows;
  readonly #splitter: LineSplitter;
  #line = 0;

  constructor(options: RowSourceOptions) {
    this.#options = options;
    this.#rows = new JsonRows(options);
    this.#splitter = new LineSplitter((bytes, from, to) => this.#takeLines(bytes, from, to));
  }

  push(bytes: Uint8Array): Steps {
    return this.#splitter.push(bytes);
  }

  end(): Steps {
    return this.#splitter.end();
  }

  *#takeLines(bytes: Uint8Array, from: number, to: number): Steps {
    let position = this.#line === 0 ? afterByteOrderMark(bytes, from) : from;
    while (position < to) {
      const start = position;
      const end = bytes.indexOf(lineFeed, start);
      this.#line += 1;
      const text = textOfLine(bytes, start, end);
      if (typeof text !== 'string') {
        this.#reject(text, () => lineText(bytes, start, end));
      } else if (text.trim() !== '') {
        this.#takeText(text);
      }
      position = end + 1;
      if (this.#line % costlyLinesPerStep === 0) {
        yield;
      }
    }
  }

  #takeText(text: string): void {
    try {
      this.#rows.take({ value: parseJson(text), line: this.#line, text });
    } catch (error) {
      if (!(error instanceof InvalidJsonError)) {
        throw error;
      }
      this.#reject(lineProblem(error.code, error.message), () => text);
    }
  }

  #reject(problem: RowProblem, text: () => string): void {
    this.#options.rejects.add({ line: this.#line, column: '', problem, text });
  }
}
