import { CsvFastLane } from './csv-fast-lane.ts';
import type { CsvLayout } from './csv-layout.ts';
import { splitCsvLine } from './csv-line.ts';
import { lineBytesMax } from './limits.ts';
import { lineText } from './reject-list.ts';
import { RowReader } from './row-reader.ts';
import type { RowSourceOptions } from './row-source.ts';
import { ParsedRow, type RowProblem } from './row.ts';
import { newSeries } from './series-table.ts';
import { lineProblem, textOfLine } from './text-line.ts';

const lineFeed = 10;

export interface CsvScannerOptions extends RowSourceOptions {
  readonly layout: CsvLayout;
  /** The number of the line before the first. */
  readonly line: number;
}

/**
 * Turns lines of CSV into rows for the sink, and lines that are none into rejects. Each line takes the fast lane where
 * it can; both ways give the same, so which one a line takes shows in nothing but time.
 */
export class CsvScanner {
  readonly #options: CsvScannerOptions;
  readonly #fastLane: CsvFastLane | undefined;
  readonly #reader: RowReader;
  readonly #row: ParsedRow;
  #line: number;
  #generation: number;

  constructor(options: CsvScannerOptions) {
    const { mapping, layout, table } = options;
    this.#options = options;
    this.#fastLane = CsvFastLane.suits(mapping, layout) ? new CsvFastLane(options) : undefined;
    this.#reader = new RowReader(options);
    this.#row = new ParsedRow(newSeries('', ''));
    this.#line = options.line;
    this.#generation = table.generation;
  }

  /** Reads the bytes [from, to): whole lines, each with its line feed. */
  scan(bytes: Uint8Array, from: number, to: number): void {
    let position = from;
    while (position < to) {
      this.#line += 1;
      const next = this.#fastLane === undefined ? -1 : this.#takeFast(this.#fastLane, bytes, position);
      position = next < 0 ? this.#takeSlow(bytes, position) : next;
      if (this.#generation !== this.#options.table.generation) {
        this.#generation = this.#options.table.generation;
        this.#fastLane?.forget();
      }
    }
  }

  /** Returns the position after the line, or -1 for one that the fast lane leaves alone. */
  #takeFast(fastLane: CsvFastLane, bytes: Uint8Array, start: number): number {
    const next = fastLane.read(bytes, start);
    if (next < 0 || next - start > lineBytesMax) {
      return -1;
    }
    fastLane.row.line = this.#line;
    const problem = this.#options.sink.take(fastLane.row);
    if (problem !== undefined) {
      this.#reject(problem, lineText(bytes, start, next - 1));
    }
    return next;
  }

  #takeSlow(bytes: Uint8Array, start: number): number {
    const end = bytes.indexOf(lineFeed, start);
    const text = textOfLine(bytes, start, end);
    if (typeof text !== 'string') {
      this.#reject(text, lineText(bytes, start, end));
    } else if (text.trim() !== '') {
      const problem = this.#problemOf(text);
      if (problem !== undefined) {
        this.#reject(problem, text);
      }
    }
    return end + 1;
  }

  #problemOf(text: string): RowProblem | undefined {
    const { layout, mapping, sink } = this.#options;
    const fields = splitCsvLine(text, mapping.delimiter);
    if (!Array.isArray(fields)) {
      return fields;
    }
    if (fields.length !== layout.columnCount) {
      return lineProblem('wrong-field-count', `has ${fields.length} fields, not ${layout.columnCount}`);
    }
    const row = this.#row;
    row.line = this.#line;
    return this.#reader.read((field) => fields[layout.columnOf[field]], row) ?? sink.take(row);
  }

  #reject(problem: RowProblem, text: string): void {
    const { layout, rejects } = this.#options;
    const column = problem.field === 'line' ? undefined : layout.shownNames[layout.columnOf[problem.field]];
    rejects.add({ line: this.#line, column: column ?? '', problem, text });
  }
}
