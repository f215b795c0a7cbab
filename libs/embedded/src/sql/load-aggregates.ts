import { setImmediate } from 'node:timers/promises';
import { DECIMAL, ENUM, INTEGER, TIMESTAMPTZ, type DuckDBConnection } from '@duckdb/node-api';
import {
  extremeProduct,
  meanInteger,
  resolutionOf,
  resolutions,
  rowEndMs,
  rowStartMs,
  SheetCursor,
  sumInteger,
  type AggregateBatch,
} from '@meterflow/aggregates';
import { powersOfTen, qualities } from '@meterflow/readings';
import { labelColumns, LabelsTable, type LabelledSeries } from './labels-table.ts';
import { sqlDecimals } from './load-readings.ts';
import { TableWriter } from './table-writer.ts';
import { exactProduct, writeInt128, writeInt64 } from './write-words.ts';

const decimal = DECIMAL(38, sqlDecimals);
const types = [INTEGER, TIMESTAMPTZ, TIMESTAMPTZ, decimal, decimal, decimal, decimal, INTEGER, ENUM([...resolutions])];

/**
 * Loads the sheets of all levels into the view `aggregates`: a row for each hour, day and month. To be called within a
 * transaction of the connection.
 */
export async function loadAggregates(
  connection: DuckDBConnection,
  levels: readonly Iterable<AggregateBatch>[],
): Promise<void> {
  const number = `decimal(38, ${sqlDecimals})`;
  await connection.run(`
    create or replace table loaded.aggregates_labels (${labelColumns});
    create or replace table loaded.aggregates_rows (
      label integer, start timestamptz, "end" timestamptz, sum ${number}, min ${number}, max ${number}, mean ${number},
      count integer, resolution enum (${resolutions.map((resolution) => `'${resolution}'`).join(', ')}));
    create or replace view aggregates as
      select tenant, meter, channel, resolution::varchar as resolution, start, "end", sum, min, max, mean,
        count::bigint as count, unit, quality
      from loaded.aggregates_rows join loaded.aggregates_labels using (label)`);
  const table = new AggregatesTable(await TableWriter.open(connection, 'aggregates_rows', types));
  for (const batches of levels) {
    for (const batch of batches) {
      table.append(batch);
      await setImmediate();
    }
  }
  await table.close(connection);
}

class AggregatesTable {
  readonly #writer: TableWriter;
  readonly #labels = new LabelsTable();
  readonly #label = { unit: '', lengthMs: 0, quality: '' };
  readonly #words: Readonly<Record<'label' | 'start' | 'end' | 'sum' | 'min' | 'max' | 'mean' | 'count', Uint32Array>>;
  readonly #resolution: Uint8Array;

  constructor(writer: TableWriter) {
    this.#writer = writer;
    const word = (column: number): Uint32Array => writer.words(column);
    this.#words = {
      label: word(0),
      start: word(1),
      end: word(2),
      sum: word(3),
      min: word(4),
      max: word(5),
      mean: word(6),
      count: word(7),
    };
    this.#resolution = writer.bytes(8);
  }

  append(batch: AggregateBatch): void {
    const cursor = new SheetCursor(batch);
    const series = batch.series.map((name) => ({ tenant: batch.tenant, ...name }));
    while (cursor.next()) {
      const name = series[batch.sheets.series[cursor.sheet] as number] as LabelledSeries;
      this.#label.unit = cursor.unit;
      for (let row = cursor.rowsFrom; row < cursor.rowsTo; row++) {
        this.#label.quality = qualities[batch.rows.quality[row] as number] as string;
        this.#append(cursor, row, this.#labels.number(name, this.#label));
      }
    }
  }

  async close(connection: DuckDBConnection): Promise<void> {
    this.#writer.close();
    await this.#labels.write(connection, 'aggregates_labels');
  }

  #append(cursor: SheetCursor, row: number, label: number): void {
    const { rows, decimals } = cursor.batch;
    const words = this.#words;
    const at = this.#writer.row;
    const factor = powersOfTen[sqlDecimals - decimals] as number;
    const count = rows.count[row] as number;
    const sum = exactSum(rows.sumHigh[row] as number, rows.sumLow[row] as number, factor);
    words.label[at] = label;
    writeInt64(words.start, at, rowStartMs(cursor, row) * 1_000);
    writeInt64(words.end, at, rowEndMs(cursor, row) * 1_000);
    writeInt128(words.sum, at, sum);
    writeInt128(words.min, at, extremeProduct(rows.min[row] as number, factor));
    writeInt128(words.max, at, extremeProduct(rows.max[row] as number, factor));
    writeInt128(words.mean, at, meanInteger(sum, count));
    words.count[at] = count;
    this.#resolution[at] = resolutions.indexOf(resolutionOf(cursor, row));
    this.#writer.next();
  }
}

function exactSum(high: number, low: number, factor: number): number | bigint {
  return high === 0 ? exactProduct(low, factor) : sumInteger(high, low) * BigInt(factor);
}
