import { afterByteOrderMark } from './byte-order-mark.ts';
import { csvLayout } from './csv-layout.ts';
import { splitCsvLine } from './csv-line.ts';
import { CsvScanner } from './csv-scanner.ts';
import { LineSplitter } from './line-splitter.ts';
import type { RowSource, RowSourceOptions } from './row-source.ts';
import type { Steps } from './steps.ts';
import { textOfLine } from './text-line.ts';
import { UnreadableSourceError } from './unreadable-source-error.ts';

const lineFeed = 10;

/** A CSV source from its first byte: byte order mark, skipped lines, header, then readings. */
export class CsvSource implements RowSource {
  readonly #options: RowSourceOptions;
  readonly #splitter: LineSplitter;
  #line = 0;
  #scanner: CsvScanner | undefined;

  constructor(options: RowSourceOptions) {
    this.#options = options;
    this.#splitter = new LineSplitter((bytes, from, to) => this.#take(bytes, from, to));
  }

  push(bytes: Uint8Array): Steps {
    return this.#splitter.push(bytes);
  }

  end(): Steps {
    return this.#splitter.end();
  }

  *#take(bytes: Uint8Array, from: number, to: number): Steps {
    let position = from;
    while (this.#scanner === undefined && position < to) {
      position = this.#takeFirst(bytes, position);
    }
    if (this.#scanner !== undefined) {
      yield* this.#scanner.scan(bytes, position, to);
    }
  }

  /** Takes one line before the readings, or sees that the readings begin; returns the position after it. */
  #takeFirst(bytes: Uint8Array, from: number): number {
    const start = this.#line === 0 ? afterByteOrderMark(bytes, from) : from;
    const end = bytes.indexOf(lineFeed, start);
    const { mapping } = this.#options;
    const isSkipped = this.#line < mapping.skipLines;
    const text = isSkipped ? '' : textOfLine(bytes, start, end);
    if (typeof text !== 'string') {
      throw new UnreadableSourceError(
        'unreadable-header',
        `line ${this.#line + 1}, where the columns are told, ${text.reason}`,
      );
    }
    if (isSkipped || text.trim() === '') {
      this.#line += 1;
      return end + 1;
    }
    const fields = splitCsvLine(text, mapping.delimiter);
    if (!Array.isArray(fields)) {
      throw new UnreadableSourceError(
        'unreadable-header',
        `line ${this.#line + 1}, where the columns are told: ${fields.reason}`,
      );
    }
    this.#line += mapping.header ? 1 : 0;
    const layout = csvLayout(mapping, mapping.header ? fields : undefined, fields.length);
    this.#scanner = new CsvScanner({ ...this.#options, layout, line: this.#line });
    return mapping.header ? end + 1 : start;
  }
}
