import {
  DuckDBArrayValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { formatDecimal } from '@meterflow/readings';

/** A value as JSON text. Numbers keep every digit; instants are ISO 8601; what JSON has no form for is a string. */
export function jsonText(value: DuckDBValue): string {
  if (value === null) {
    return 'null';
  }
  if (typeof value === 'object') {
    return objectText(value);
  }
  if (typeof value === 'bigint' || typeof value === 'boolean' || Number.isFinite(value)) {
    return String(value);
  }
  return JSON.stringify(String(value));
}

function objectText(value: object): string {
  if (value instanceof DuckDBDecimalValue) {
    return formatDecimal(value.value, value.scale);
  }
  if (value instanceof DuckDBTimestampTZValue) {
    return `"${instantText(value.micros)}Z"`;
  }
  if (value instanceof DuckDBTimestampValue) {
    return `"${instantText(value.micros)}"`;
  }
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) {
    return `[${value.items.map(jsonText).join(',')}]`;
  }
  if (value instanceof DuckDBStructValue) {
    return fieldsText(Object.entries(value.entries));
  }
  if (value instanceof DuckDBMapValue) {
    return fieldsText(value.entries.map(({ key, value: field }) => [wordsOf(key), field]));
  }
  return JSON.stringify(wordsOf(value));
}

function fieldsText(fields: readonly (readonly [string, DuckDBValue])[]): string {
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${jsonText(field)}`).join(',')}}`;
}

/** DuckDB's own words for a value. */
function wordsOf(value: unknown): string {
  return String(value);
}

const microsPerMilli = 1_000n;
const instantMsMax = 8.64e15;

/** 2012-10-28T23:00:00, with a fraction where there is one. Instants beyond JavaScript's are given as microseconds. */
function instantText(micros: bigint): string {
  const rest = ((micros % microsPerMilli) + microsPerMilli) % microsPerMilli;
  const millis = Number((micros - rest) / microsPerMilli);
  if (Math.abs(millis) > instantMsMax) {
    return `${micros} µs`;
  }
  const text = new Date(millis).toISOString().slice(0, -1);
  const fraction = `${text.slice(-3)}${String(rest).padStart(3, '0')}`.replace(/0+$/, '');
  return text.slice(0, -4) + (fraction === '' ? '' : `.${fraction}`);
}
