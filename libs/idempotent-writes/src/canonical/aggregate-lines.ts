import {
  formatExtreme,
  formatSum,
  rareCounts,
  resolutionOf,
  rowEndMs,
  rowPeakMs,
  rowStartMs,
  unknownPeak,
  type AggregateRows,
  type Resolution,
  type SheetCursor,
} from '@meterflow/aggregates';
import { qualities } from '@meterflow/readings';
import { InstantTexts } from './instant-texts.ts';
import { decimalText } from './reading-lines.ts';
import type { NamedSeries } from './named-series.ts';

/** Writes aggregates as `JSON.stringify(canonicalAggregate(…))` does, each with a line feed. */
export class AggregateLines {
  readonly #instants = new InstantTexts();
  readonly #resolution: Resolution;
  readonly #head: string;

  constructor({ tenant, meter, channel }: NamedSeries, resolution: Resolution) {
    const fields = JSON.stringify({ kind: 'aggregate', tenant, meter, channel, resolution });
    this.#resolution = resolution;
    this.#head = `${fields.slice(0, -1)},"start":"`;
  }

  /** The cursor's rows of the resolution. */
  lines(cursor: SheetCursor): string {
    let lines = '';
    const unit = JSON.stringify(cursor.unit);
    for (let row = cursor.rowsFrom; row < cursor.rowsTo; row++) {
      if (resolutionOf(cursor, row) === this.#resolution) {
        lines += this.#line(cursor, row, unit);
      }
    }
    return lines;
  }

  #line(cursor: SheetCursor, row: number, unit: string): string {
    const { rows, decimals } = cursor.batch;
    const value = (column: Float64Array): string => decimalText(column[row] as number, decimals);
    const extreme = (column: Float64Array): string =>
      Number.isSafeInteger(column[row]) ? value(column) : formatExtreme(column[row] as number, decimals);
    const high = rows.sumHigh[row] as number;
    const sum = high === 0 ? value(rows.sumLow) : formatSum(high, rows.sumLow[row] as number, decimals);
    const isSummed = rows.count[row] !== 0;
    const span = `${this.#instants.text(rowStartMs(cursor, row))}","end":"${this.#instants.text(rowEndMs(cursor, row))}`;
    const values = isSummed
      ? `"sum":"${sum}","min":"${extreme(rows.min)}","max":"${extreme(rows.max)}"`
      : '"sum":null,"min":null,"max":null';
    const quality = qualities[rows.quality[row] as number] as string;
    const known = `${span}",${values},"count":${rows.count[row] as number},"unit":${unit},"quality":"${quality}"`;
    const facts = rows.peakOffsetMs[row] === unknownPeak ? '' : this.#facts(rows, row, rowPeakMs(cursor, row));
    return `${this.#head}${known}${facts}}\n`;
  }

  #facts(rows: AggregateRows, row: number, peakMs: number | undefined): string {
    const peak = peakMs === undefined ? '' : `,"peakAt":"${this.#instants.text(peakMs)}"`;
    let facts = `${peak},"expected":${rows.expected[row] as number}`;
    if (rows.odd.length > 0) {
      for (const name of rareCounts) {
        facts += rows[name][row] === 0 ? '' : `,"${name}":${rows[name][row] as number}`;
      }
    }
    return facts;
  }
}
