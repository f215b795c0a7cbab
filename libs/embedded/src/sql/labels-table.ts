import type { DuckDBConnection } from '@duckdb/node-api';

/** A series with its tenant. */
export interface LabelledSeries {
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
}

/** What long runs of rows have in common beside their series. */
export interface Label {
  unit: string;
  /** Of the rows' interval; 0 where it is none of theirs. */
  lengthMs: number;
  quality: string;
}

/**
 * What long runs of rows have in common, once: a row of numbers then needs one small integer for all of it. Views join
 * the two.
 */
export class LabelsTable {
  readonly #rows: (LabelledSeries & Label)[] = [];
  #series: LabelledSeries | undefined;
  readonly #ofSeries = new Map<string, number>();
  #last: Label = { unit: '', lengthMs: -1, quality: '' };
  #number = -1;

  /** The number of a series' label. Costs next to nothing while both are the same as before. */
  number(series: LabelledSeries, label: Label): number {
    const last = this.#last;
    if (
      series === this.#series &&
      label.quality === last.quality &&
      label.lengthMs === last.lengthMs &&
      label.unit === last.unit
    ) {
      return this.#number;
    }
    if (series !== this.#series) {
      this.#series = series;
      this.#ofSeries.clear();
    }
    this.#last = { ...label };
    this.#number = this.#find(series, label);
    return this.#number;
  }

  /** `table` in schema `loaded`, as {@link labelColumns} says. */
  async write(connection: DuckDBConnection, table: string): Promise<void> {
    const appender = await connection.createAppender(table, 'loaded');
    this.#rows.forEach(({ tenant, meter, channel, unit, lengthMs, quality }, number) => {
      appender.appendInteger(number);
      for (const text of [tenant, meter, channel, unit, quality]) {
        appender.appendVarchar(text);
      }
      appender.appendBigInt(BigInt(lengthMs * 1_000));
      appender.endRow();
    });
    appender.closeSync();
  }

  #find(series: LabelledSeries, label: Label): number {
    const name = `${label.quality} ${label.lengthMs} ${label.unit}`;
    let number = this.#ofSeries.get(name);
    if (number === undefined) {
      const { tenant, meter, channel } = series;
      number = this.#rows.push({ tenant, meter, channel, ...label }) - 1;
      this.#ofSeries.set(name, number);
    }
    return number;
  }
}

export const labelColumns =
  'label integer, tenant varchar, meter varchar, channel varchar, unit varchar, quality varchar, length_us bigint';
