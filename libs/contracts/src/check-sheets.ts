import { wholeWindow, type AggregateBatch, type AggregateRows } from '@meterflow/aggregates';
import { missingCode } from '@meterflow/readings';
import { checkCount } from './check-count.ts';
import { checkIntegers } from './check-integers.ts';
import { checkSameLength } from './check-spans.ts';
import { MalformedMessageError } from './malformed-message-error.ts';
import { instantMsMax, messageLimits } from './message-limits.ts';

/** A local day has at most 48 hours: where a zone moved over the date line. (Antarctica/Troll has 26 each autumn.) */
const hourMax = 47;

/**
 * Checks all that an aggregate batch promises about its sheets and rows, but that sums, least and greatest are integers:
 * whoever reads or writes those columns learns that on the way.
 */
export function checkSheets(batch: AggregateBatch): void {
  const { series, startMs, endMs, unit, rows, declared, acceptedAtMs, activation } = batch.sheets;
  checkCount('series', batch.series.length, messageLimits.seriesMax);
  checkCount('texts', batch.texts.length, messageLimits.textsMax);
  checkCount('sheets', series.length, messageLimits.sheetsMax);
  checkCount('rows', batch.rows.hour.length, messageLimits.rowsMax);
  const versions = { declared, accepted_at_ms: acceptedAtMs, activation };
  checkSameLength({ series, start_ms: startMs, end_ms: endMs, unit, rows, ...versions }, 'sheets');
  checkIntegers(startMs, 'sheets.start_ms', { min: -instantMsMax, max: instantMsMax });
  checkIntegers(endMs, 'sheets.end_ms', { min: -instantMsMax, max: instantMsMax });
  for (const [name, column] of Object.entries(versions)) {
    checkIntegers(column, `sheets.${name}`, { min: 0 });
  }
  checkRows(batch.rows);
  let row = 0;
  for (let sheet = 0; sheet < series.length; sheet++) {
    below(series[sheet] as number, batch.series.length, { column: 'sheets.series', index: sheet });
    below(unit[sheet] as number, batch.texts.length, { column: 'sheets.unit', index: sheet });
    if ((endMs[sheet] as number) <= (startMs[sheet] as number)) {
      throw new MalformedMessageError('message-mismatch', `sheets.end_ms[${sheet}]`, 'is not after start_ms');
    }
    const end = row + (rows[sheet] as number);
    if (end > batch.rows.hour.length) {
      throw new MalformedMessageError('message-mismatch', `sheets.rows[${sheet}]`, `reaches row ${end}`);
    }
    checkHours(batch, row, end);
    row = end;
  }
  if (row !== batch.rows.hour.length) {
    const problem = `${row} rows, but ${batch.rows.hour.length} in rows`;
    throw new MalformedMessageError('message-mismatch', 'sheets.rows', problem);
  }
}

/** Hours rise, and the whole window comes last; a month has no hours. */
function checkHours({ rows, level }: AggregateBatch, from: number, to: number): void {
  let last = -1;
  for (let row = from; row < to; row++) {
    const hour = rows.hour[row] as number;
    const whole = row === to - 1;
    if (whole ? hour !== wholeWindow : level === 'month' || hour <= last || hour > hourMax) {
      throw new MalformedMessageError('message-value', `rows.hour[${row}]`, `${hour} is out of place`);
    }
    last = hour;
  }
}

function checkRows(rows: AggregateRows): void {
  const { hour, sumHigh, sumLow, min, max, count, quality, peakOffsetMs: peak } = rows;
  checkSameLength({ hour, sum_high: sumHigh, sum_low: sumLow, min, max, count, quality, peak }, 'rows');
  for (let row = 0; row < hour.length; row++) {
    below(quality[row] as number, missingCode + 1, { column: 'rows.quality', index: row });
    if ((sumHigh[row] as number) * (sumLow[row] as number) < 0) {
      throw new MalformedMessageError('message-mismatch', `rows.sum_low[${row}]`, 'has not the sign of sum_high');
    }
    if ((min[row] as number) > (max[row] as number)) {
      throw new MalformedMessageError('message-mismatch', `rows.max[${row}]`, 'is less than min');
    }
  }
}

/** The path is put together only where it is told: a text for each row costs more than all the rest. */
function below(value: number, end: number, { column, index }: { column: string; index: number }): void {
  if (value >= end) {
    throw new MalformedMessageError('message-value', `${column}[${index}]`, `${value} is not below ${end}`);
  }
}
