import type { SeriesName } from '@meterflow/readings';
import type { AggregateBatch } from './aggregate-batch.ts';
import type { InputVersions } from './input-versions.ts';

/** Walks the sheets of a batch without an object for each. `next` first, then the properties. */
export class SheetCursor {
  readonly batch: AggregateBatch;
  sheet = -1;
  /** The sheet's rows are [rowsFrom, rowsTo) of the batch's. */
  rowsFrom = 0;
  rowsTo = 0;
  /** Those of them that are out of the ordinary are [oddFrom, oddTo) of the batch's `odd`. */
  oddFrom = 0;
  oddTo = 0;

  constructor(batch: AggregateBatch) {
    this.batch = batch;
  }

  /** Moves to the next sheet; false after the last. */
  next(): boolean {
    if (this.sheet + 1 >= this.batch.sheets.rows.length) {
      return false;
    }
    this.sheet += 1;
    this.rowsFrom = this.rowsTo;
    this.rowsTo += this.batch.sheets.rows[this.sheet] as number;
    const { odd } = this.batch.rows;
    this.oddFrom = this.oddTo;
    while (this.oddTo < odd.length && (odd[this.oddTo] as number) < this.rowsTo) {
      this.oddTo += 1;
    }
    return true;
  }

  get rows(): number {
    return this.rowsTo - this.rowsFrom;
  }

  get series(): SeriesName {
    return this.batch.series[this.batch.sheets.series[this.sheet] as number] as SeriesName;
  }

  get startMs(): number {
    return this.batch.sheets.startMs[this.sheet] as number;
  }

  get endMs(): number {
    return this.batch.sheets.endMs[this.sheet] as number;
  }

  get unit(): string {
    return this.batch.texts[this.batch.sheets.unit[this.sheet] as number] as string;
  }

  get ticket(): number {
    return (this.batch.sheets.ticket[this.sheet] as number) || this.batch.ticket;
  }

  get inputs(): InputVersions {
    const { declared, acceptedAtMs, activation } = this.batch.sheets;
    return {
      declared: declared[this.sheet] as number,
      acceptedAtMs: acceptedAtMs[this.sheet] as number,
      activation: activation[this.sheet] as number,
    };
  }
}
