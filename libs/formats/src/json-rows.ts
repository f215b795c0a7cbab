import { choices, wantedColumns } from './csv-layout.ts';
import { RowReader } from './row-reader.ts';
import type { RowSourceOptions } from './row-source.ts';
import { costlyLinesPerStep } from './limits.ts';
import { Stretch, type FieldName, type RowProblem } from './row.ts';
import { newSeries } from './series-table.ts';
import type { Steps } from './steps.ts';
import { UnreadableSourceError } from './unreadable-source-error.ts';

/** A row with the place it stood at: its line, or its number in a document, from 1. */
export interface JsonRow {
  readonly value: unknown;
  readonly line: number;
  /** As it came; where it is not told, the value is shown. */
  readonly text?: string;
  /** Why it has no value. */
  readonly problem?: RowProblem;
}

/** Turns objects, one a reading, into rows for the sink, and those that are none into rejects. */
export class JsonRows {
  readonly #options: RowSourceOptions;
  readonly #reader: RowReader;
  readonly #row = new Stretch(newSeries('', ''));
  /** The names that a field may have, in order. */
  readonly #names = new Map<FieldName, readonly string[]>();

  /** Throws {@link UnreadableSourceError} for a mapping that names a column by nothing but its number. */
  constructor(options: RowSourceOptions) {
    this.#options = options;
    this.#reader = new RowReader(options);
    for (const { field, column, optional } of wantedColumns(options.mapping)) {
      const names = choices(column).filter((choice) => typeof choice === 'string');
      if (names.length === 0 && !optional) {
        const reason = `mapping ${options.mapping.name} takes ${field} from a column by number, which JSON has not`;
        throw new UnreadableSourceError('missing-column', reason);
      }
      this.#names.set(field, names);
    }
  }

  take(row: JsonRow): void {
    const problem = row.problem ?? (isObject(row.value) ? this.#read(row.value, row) : notAnObject);
    if (problem !== undefined) {
      this.#reject(row, problem);
    }
  }

  *takeAll(rows: Iterable<JsonRow>): Steps {
    let taken = 0;
    for (const row of rows) {
      this.take(row);
      taken += 1;
      if (taken % costlyLinesPerStep === 0) {
        yield;
      }
    }
  }

  #read(fields: Readonly<Record<string, unknown>>, row: JsonRow): RowProblem | undefined {
    const problem = this.#wrongType(fields) ?? this.#reader.read((field) => this.#text(fields, field), this.#row);
    if (problem !== undefined) {
      return problem;
    }
    this.#row.line = row.line;
    this.#options.sink.take(this.#row, (_index, why) => {
      this.#reject(row, why);
    });
    return undefined;
  }

  #wrongType(fields: Readonly<Record<string, unknown>>): RowProblem | undefined {
    for (const field of this.#names.keys()) {
      const value = this.#value(fields, field);
      if (value != null && typeof value !== 'string' && typeof value !== 'number') {
        return { field, code: 'invalid-type', reason: `is neither a text nor a number` };
      }
    }
    return undefined;
  }

  #value(fields: Readonly<Record<string, unknown>>, field: FieldName): unknown {
    const name = this.#names.get(field)?.find((candidate) => Object.hasOwn(fields, candidate));
    return name === undefined ? undefined : fields[name];
  }

  #text(fields: Readonly<Record<string, unknown>>, field: FieldName): string | undefined {
    const value = this.#value(fields, field);
    return typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : undefined;
  }

  #reject({ value, line, text }: JsonRow, problem: RowProblem): void {
    const column = problem.field === 'line' ? '' : (this.#names.get(problem.field)?.[0] ?? problem.field);
    this.#options.rejects.add({ line, column, problem, text: () => text ?? JSON.stringify(value) });
  }
}

const notAnObject: RowProblem = { field: 'line', code: 'not-an-object', reason: 'is not an object with a reading' };

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
