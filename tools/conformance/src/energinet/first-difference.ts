import { formatDecimal, readDecimal } from '@meterflow/readings';
import type { CsvRow } from './csv-table.ts';
import { instantMs } from './scenario.ts';
import { instantText, sortedQualities } from './energy-rows.ts';

/** What a row is, told from the others of its file. */
const keyColumns = [
  'grid_area_code',
  'neighbor_grid_area_code',
  'energy_supplier_id',
  'balance_responsible_party_id',
  'metering_point_id',
  'time',
];
const instantColumns = ['time', 'calculation_execution_time_start'];
/** A column that a file leaves empty throughout is not asked for, as its authors have it. */
const optionalColumns = ['result_id'];

/**
 * The first difference between our rows and theirs, in one line; undefined where both are the same set of rows, in
 * any order, that say the same in every column of theirs.
 */
export function firstDifference(found: readonly CsvRow[], expected: readonly CsvRow[]): string | undefined {
  const columns = columnsAsked(expected);
  const unknown = columns.filter((column) => found.length > 0 && found[0]?.[column] === undefined);
  if (unknown.length > 0) {
    return `the column ${unknown.join(', ')} is not known`;
  }
  const ours = Map.groupBy(found.map(plain), rowKey);
  for (const wanted of expected.map(plain)) {
    const [row] = ours.get(rowKey(wanted))?.splice(0, 1) ?? [];
    if (row === undefined) {
      return `${rowKey(wanted)}: expected ${shown(wanted, columns)}, and there is no such row`;
    }
    if (columns.some((column) => row[column] !== wanted[column])) {
      return `${rowKey(wanted)}: expected ${shown(wanted, columns, row)}, found ${shown(row, columns, wanted)}`;
    }
  }
  const [surplus] = [...ours.values()].flat();
  return surplus === undefined
    ? undefined
    : `${rowKey(surplus)}: no such row is expected, found ${shown(surplus, Object.keys(surplus))}`;
}

function columnsAsked(rows: readonly CsvRow[]): readonly string[] {
  return Object.keys(rows[0] ?? {}).filter(
    (column) => !optionalColumns.includes(column) || rows.some((row) => row[column] !== ''),
  );
}

/** Instants, numbers and sets in one form. */
function plain(row: CsvRow): CsvRow {
  const instants = instantColumns.filter((column) => (row[column] ?? '') !== '');
  return {
    ...row,
    ...Object.fromEntries(instants.map((column) => [column, instantText(instantMs(row[column] as string))])),
    quantity: plainNumber(row['quantity'] ?? ''),
    quantity_qualities: sortedQualities(row['quantity_qualities'] ?? ''),
  };
}

/** 10 and 10.000 are one number; what is none stays as it is. */
function plainNumber(text: string): string {
  const number = readDecimal(text);
  return 'code' in number ? text : formatDecimal(number.integer, number.decimals);
}

function rowKey(row: CsvRow): string {
  return keyColumns
    .map((column) => row[column] ?? '')
    .filter((text) => text !== '')
    .join(' ');
}

/** The columns that differ from another row; all that say something where there is none. */
function shown(row: CsvRow, columns: readonly string[], other?: CsvRow): string {
  const told = columns.filter((column) => (other === undefined ? row[column] !== '' : row[column] !== other[column]));
  return told.map((column) => `${column} ${row[column] ?? ''}`).join(', ');
}
