import { setImmediate } from 'node:timers/promises';
import { BIGINT, DECIMAL, ENUM, INTEGER, TIMESTAMPTZ, type DuckDBConnection } from '@duckdb/node-api';
import {
  extremeProduct,
  meanInteger,
  rareCounts,
  resolutionOf,
  resolutions,
  rowEndMs,
  rowPeakMs,
  rowStartMs,
  SheetCursor,
  sumInteger,
  unknownPeak,
  type AggregateBatch,
} from '@meterflow/aggregates';
import { powersOfTen, qualities } from '@meterflow/readings';
import { labelColumns, LabelsTable, type LabelledSeries } from './labels-table.ts';
import { sqlDecimals } from './load-readings.ts';
import { TableWriter } from './table-writer.ts';
import { exactProduct, writeInt128, writeInt64 } from './write-words.ts';

const decimal = DECIMAL(38, sqlDecimals);
const counts = ['count', 'expected', ...rareCounts] as const;
/** In the table; `peak` is the row's own start where it is not known or there is none, and `expected` {@link unknownExpected}. */
const columns = [
  ['label', INTEGER],
  ['start', TIMESTAMPTZ],
  ['end', TIMESTAMPTZ],
  ['peak', TIMESTAMPTZ],
  ['sum', decimal],
  ['min', decimal],
  ['max', decimal],
  ['mean', decimal],
  ...counts.map((name) => [name, INTEGER] as const),
  ['ticket', BIGINT],
  ['inputVersion', BIGINT],
  ['inputAcceptedAt', TIMESTAMPTZ],
  ['inputActivation', BIGINT],
  ['resolution', ENUM([...resolutions])],
] as const;
type WordColumn = Exclude<(typeof columns)[number][0], 'resolution'>;
/** A window is final so long after its end, when its days are closed: as the API has it. */
const finalAfterMs = 86_400_000;
/** Counts are signed there. */
const unknownExpected = -1;

/**
 * Loads the sheets of all levels into the view `aggregates`: a row for each hour, day and month. To be called within a
 * transaction of the connection.
 */
export async function loadAggregates(
  connection: DuckDBConnection,
  levels: readonly Iterable<AggregateBatch>[],
): Promise<void> {
  const declared = columns.map(([name, type]) => `"${name}" ${type.toString()}`);
  const known = (expression: string): string => `case when expected <> ${unknownExpected} then ${expression} end`;
  const none = `to_timestamp(0)`;
  await connection.run(`
    create or replace table loaded.aggregates_labels (${labelColumns});
    create or replace table loaded.aggregates_rows (${declared.join(', ')});
    create or replace view aggregates as
      select tenant, meter, channel, resolution::varchar as resolution, start, "end",
        ${['sum', 'min', 'max', 'mean'].map((name) => `case when count > 0 then ${name} end as ${name}`).join(', ')},
        count::bigint as count, unit, quality,
        case when expected <> ${unknownExpected} and count > 0 then peak end as peak_at, ${known('expected::bigint')} as expected,
        ${known('greatest(expected - count, 0)::bigint')} as missing,
        ${rareCounts.map((name) => `${known(`"${name}"::bigint`)} as ${snakeCase(name)}`).join(', ')},
        ticket, nullif("inputVersion", 0) as input_version, nullif("inputAcceptedAt", ${none}) as input_accepted_at,
        nullif("inputActivation", 0) as input_activation,
        case when epoch_ms("end") + ${finalAfterMs} <= epoch_ms(now()) then 'final'
          when expected <> ${unknownExpected} and count > 0 and expected <= count then 'complete' else 'open' end as state
      from loaded.aggregates_rows join loaded.aggregates_labels using (label)`);
  const table = new AggregatesTable(
    await TableWriter.open(
      connection,
      'aggregates_rows',
      columns.map(([, type]) => type),
    ),
  );
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
  readonly #words: Readonly<Record<WordColumn, Uint32Array>>;
  readonly #resolution: Uint8Array;

  constructor(writer: TableWriter) {
    this.#writer = writer;
    const words = columns.slice(0, -1).map(([name], column) => [name, writer.words(column)] as const);
    this.#words = Object.fromEntries(words) as Record<WordColumn, Uint32Array>;
    this.#resolution = writer.bytes(columns.length - 1);
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
    writeInt128(words.mean, at, count === 0 ? 0 : meanInteger(sum, count));
    words.count[at] = count;
    this.#appendFacts(cursor, row);
    this.#resolution[at] = resolutions.indexOf(resolutionOf(cursor, row));
    this.#writer.next();
  }

  #appendFacts(cursor: SheetCursor, row: number): void {
    const { rows } = cursor.batch;
    const { declared, acceptedAtMs, activation } = cursor.inputs;
    const words = this.#words;
    const at = this.#writer.row;
    const peakMs = rowPeakMs(cursor, row);
    writeInt64(words.peak, at, (peakMs ?? rowStartMs(cursor, row)) * 1_000);
    words.expected[at] = rows.peakOffsetMs[row] === unknownPeak ? unknownExpected : (rows.expected[row] as number);
    for (const name of rareCounts) {
      words[name][at] = rows[name][row] as number;
    }
    writeInt64(words.ticket, at, cursor.ticket);
    writeInt64(words.inputVersion, at, declared);
    writeInt64(words.inputAcceptedAt, at, acceptedAtMs * 1_000);
    writeInt64(words.inputActivation, at, activation);
  }
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function exactSum(high: number, low: number, factor: number): number | bigint {
  return high === 0 ? exactProduct(low, factor) : sumInteger(high, low) * BigInt(factor);
}
