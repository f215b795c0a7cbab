import { setImmediate } from 'node:timers/promises';
import { BIGINT, DECIMAL, INTEGER, TIMESTAMPTZ, type DuckDBConnection } from '@duckdb/node-api';
import { powersOfTen, qualities, ReadingCursor } from '@meterflow/readings';
import type { SeriesSegment } from '../stores/reading-reader.ts';
import { labelColumns, LabelsTable } from './labels-table.ts';
import { TableWriter } from './table-writer.ts';
import { exactProduct, writeInt128, writeInt64 } from './write-words.ts';

/** The event loop gets a turn after so many segments. */
const segmentsAtOnce = 2_000;
export const sqlDecimals = 9;

const types = [INTEGER, TIMESTAMPTZ, DECIMAL(38, sqlDecimals), BIGINT];

/**
 * Loads one layer into the view `view`: every latest reading, with value NULL where it is absent (quality missing),
 * version NULL where the provider declared none, and "end" equal to start for register readings. To be called within a
 * transaction of the connection.
 */
export async function loadReadings(
  connection: DuckDBConnection,
  view: string,
  segments: Iterable<SeriesSegment>,
): Promise<void> {
  await connection.run(`
    create or replace table loaded.${view}_labels (${labelColumns});
    create or replace table loaded.${view}_rows (
      label integer, start timestamptz, value decimal(38, ${sqlDecimals}), version bigint);
    create or replace view ${view} as
      select tenant, meter, channel, start, make_timestamptz(epoch_us(start) + length_us) as "end",
        case when quality = 'missing' then null else value end as value,
        unit, quality, nullif(version, 0) as version
      from loaded.${view}_rows join loaded.${view}_labels using (label)`);
  const table = new ReadingsTable(await TableWriter.open(connection, `${view}_rows`, types));
  let count = 0;
  for (const segment of segments) {
    table.append(segment);
    if (++count % segmentsAtOnce === 0) {
      await setImmediate();
    }
  }
  await table.close(connection, `${view}_labels`);
}

class ReadingsTable {
  readonly #writer: TableWriter;
  readonly #labels = new LabelsTable();
  readonly #columns: readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  readonly #label = { unit: '', lengthMs: 0, quality: '' };

  constructor(writer: TableWriter) {
    this.#writer = writer;
    this.#columns = [writer.words(0), writer.words(1), writer.words(2), writer.words(3)];
  }

  append({ series, segment: { columns } }: SeriesSegment): void {
    const writer = this.#writer;
    const label = this.#label;
    const [labels, start, value, version] = this.#columns;
    const cursor = new ReadingCursor(columns);
    const factor = powersOfTen[sqlDecimals - columns.decimals] as number;
    const { declared } = columns.versions;
    while (cursor.next()) {
      const { row } = writer;
      label.unit = cursor.unit;
      label.lengthMs = cursor.lengthMs;
      label.quality = qualities[cursor.qualityCode] as string;
      labels[row] = this.#labels.number(series, label);
      writeInt64(start, row, cursor.startMs * 1_000);
      writeInt128(value, row, exactProduct(cursor.integer, factor));
      writeInt64(version, row, declared[cursor.versionIndex] as number);
      writer.next();
    }
  }

  async close(connection: DuckDBConnection, labels: string): Promise<void> {
    this.#writer.close();
    await this.#labels.write(connection, labels);
  }
}
