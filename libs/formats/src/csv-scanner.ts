import { CsvFastLane } from './csv-fast-lane.ts';
import type { CsvLayout } from './csv-layout.ts';
import { splitCsvLine } from './csv-line.ts';
import { costlyLinesPerStep } from './limits.ts';
import { lineText } from './reject-list.ts';
import { RowReader } from './row-reader.ts';
import type { RowSourceOptions } from './row-source.ts';
import { Stretch, type RowProblem } from './row.ts';
import { newSeries } from './series-table.ts';
import type { Steps } from './steps.ts';
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
  readonly #row: Stretch;
  #line: number;
  #generation: number;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Where the stretch that was read last begins. */
  #stretchStart = 0;
  /** Lines so far that did not come through the fast lane. */
  #costly = 0;
  readonly #rejectFast = (index: number, problem: RowProblem): void => {
    const { line, ends } = (this.#fastLane as CsvFastLane).lines;
    const start = index === 0 ? this.#stretchStart : (ends[index - 1] as number);
    this.#costly += 1;
    this.#reject(line + index, problem, () => lineText(this.#bytes, start, (ends[index] as number) - 1));
  };

  constructor(options: CsvScannerOptions) {
    const { mapping, layout, table } = options;
    this.#options = options;
    this.#fastLane = CsvFastLane.suits(mapping, layout) ? new CsvFastLane(options) : undefined;
    this.#reader = new RowReader(options);
    this.#row = new Stretch(newSeries('', ''));
    this.#line = options.line;
    this.#generation = table.generation;
  }

  /** Reads the bytes [from, to): whole lines, each with its line feed. */
  *scan(bytes: Uint8Array, from: number, to: number): Steps {
    this.#bytes = bytes.subarray(0, to);
    const view = new DataView(bytes.buffer, bytes.byteOffset, to);
    let position = this.#scanOn(view, from);
    while (position < to) {
      yield;
      position = this.#scanOn(view, position);
    }
  }

  /** Returns where it stopped: at the end, or after {@link costlyLinesPerStep}. */
  #scanOn(view: DataView, from: number): number {
    const to = this.#bytes.length;
    const costlyMax = this.#costly + costlyLinesPerStep;
    let position = from;
    while (position < to && this.#costly < costlyMax) {
      const next = this.#fastLane?.read(this.#bytes, view, position) ?? position;
      if (next === position) {
        position = this.#takeSlow(this.#bytes, position);
      } else {
        this.#takeFast(position);
        position = next;
      }
      if (this.#generation !== this.#options.table.generation) {
        this.#generation = this.#options.table.generation;
        this.#fastLane?.forget();
      }
    }
    return position;
  }

  #takeFast(start: number): void {
    const { lines } = this.#fastLane as CsvFastLane;
    this.#stretchStart = start;
    lines.line = this.#line + 1;
    this.#line += lines.count;
    this.#options.sink.take(lines, this.#rejectFast);
  }

  #takeSlow(bytes: Uint8Array, start: number): number {
    const end = bytes.indexOf(lineFeed, start);
    this.#line += 1;
    this.#costly += 1;
    const text = textOfLine(bytes, start, end);
    if (typeof text !== 'string') {
      this.#reject(this.#line, text, () => lineText(bytes, start, end));
    } else if (text.trim() !== '') {
      this.#takeText(text);
    }
    return end + 1;
  }

  #takeText(text: string): void {
    const { mapping, sink } = this.#options;
    const fields = splitCsvLine(text, mapping.delimiter);
    const problem = Array.isArray(fields) ? this.#readFields(fields) : fields;
    if (problem === undefined) {
      this.#row.line = this.#line;
      sink.take(this.#row, (_index, why) => {
        this.#reject(this.#line, why, () => text);
      });
    } else {
      this.#reject(this.#line, problem, () => text);
    }
  }

  #readFields(fields: readonly string[]): RowProblem | undefined {
    const { layout } = this.#options;
    return fields.length === layout.columnCount
      ? this.#reader.read((field) => fields[layout.columnOf[field]], this.#row)
      : lineProblem('wrong-field-count', `has ${fields.length} fields, not ${layout.columnCount}`);
  }

  #reject(line: number, problem: RowProblem, text: () => string): void {
    const { layout, rejects } = this.#options;
    const column = problem.field === 'line' ? undefined : layout.shownNames[layout.columnOf[problem.field]];
    rejects.add({ line, column: column ?? '', problem, text });
  }
}
