import {
  DuckDBDataChunk,
  type DuckDBAppender,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBVector,
} from '@duckdb/node-api';
import { vectorMemory } from './vector-memory.ts';

/** Rows that DuckDB takes at once: the size of its vectors. */
const rowsAtOnce = 2_048;

/**
 * Appends to a table of numbers column by column. Callers write row {@link row} of each column's memory, then call
 * `next`. No value becomes a BigInt or an object.
 */
export class TableWriter {
  /** The row of the columns to be written now. */
  row = 0;
  rows = 0;
  readonly #appender: DuckDBAppender;
  readonly #columns: DuckDBDataChunk;
  readonly #vectors: DuckDBVector[];

  private constructor(appender: DuckDBAppender, types: readonly DuckDBType[]) {
    this.#appender = appender;
    this.#columns = DuckDBDataChunk.create(types, rowsAtOnce);
    this.#vectors = types.map((_, column) => this.#columns.getColumnVector(column));
  }

  /** `table` in schema `loaded`, whose columns have exactly these types. */
  static async open(connection: DuckDBConnection, table: string, types: readonly DuckDBType[]): Promise<TableWriter> {
    return new TableWriter(await connection.createAppender(table, 'loaded'), types);
  }

  /** The memory of a column of 32-bit numbers, or of wider ones as their 32-bit words, lowest first. */
  words(column: number): Uint32Array {
    const { buffer, byteOffset, byteLength } = vectorMemory(this.#vectors[column] as DuckDBVector);
    return new Uint32Array(buffer, byteOffset, byteLength / 4);
  }

  /** The memory of a column of 8-bit numbers. */
  bytes(column: number): Uint8Array {
    const { buffer, byteOffset, byteLength } = vectorMemory(this.#vectors[column] as DuckDBVector);
    return new Uint8Array(buffer, byteOffset, byteLength);
  }

  /** Ends the row. */
  next(): void {
    this.row += 1;
    if (this.row === rowsAtOnce) {
      this.#flush();
    }
  }

  close(): void {
    if (this.row > 0) {
      this.#flush();
    }
    this.#appender.closeSync();
  }

  #flush(): void {
    for (const vector of this.#vectors) {
      vector.flush();
    }
    this.#columns.rowCount = this.row;
    this.#appender.appendDataChunk(this.#columns);
    this.rows += this.row;
    this.row = 0;
  }
}
