import type { ParquetColumn, ParquetRow } from '@meterflow/embedded';

/** A column of an answer that is a table: where its cells stand in the JSON of a row. Null where they don't. */
export interface Column extends ParquetColumn {
  readonly path: readonly string[];
}

const column = (name: string, kind: Column['kind'], ...path: readonly string[]): Column => ({
  name,
  kind,
  path: path.length === 0 ? [name] : path,
});

/** Named as the SQL view `readings` names them. */
export const readingColumns: readonly Column[] = [
  column('meter', 'text'),
  column('channel', 'text'),
  column('start', 'instant'),
  column('end', 'instant'),
  column('value', 'decimal'),
  column('unit', 'text'),
  column('quality', 'text'),
  column('method', 'text'),
  column('reason', 'text'),
  column('version', 'count'),
];

/** Named as the SQL view `aggregates` names them. */
export const aggregateColumns: readonly Column[] = [
  column('meter', 'text'),
  column('channel', 'text'),
  column('resolution', 'text'),
  column('start', 'instant'),
  column('end', 'instant'),
  ...['sum', 'min', 'max', 'mean'].map((name) => column(name, 'decimal')),
  column('count', 'count'),
  column('unit', 'text'),
  column('quality', 'text'),
  column('peak_at', 'instant', 'peakAt'),
  ...['expected', 'missing', 'surplus', 'estimated', 'substituted', 'calculated'].map((name) => column(name, 'count')),
  column('not_billable', 'count', 'notBillable'),
  column('ticket', 'count', 'inputs', 'ticket'),
  column('input_version', 'count', 'inputs', 'version'),
  column('input_accepted_at', 'instant', 'inputs', 'acceptedAt'),
  column('input_activation', 'count', 'inputs', 'activation'),
  column('state', 'text'),
];

/** The cells of a row, from its JSON: instants in milliseconds, decimals as text with all their digits. */
export function cellsOf(json: object, columns: readonly Column[]): ParquetRow {
  return columns.map(({ path, kind }) => {
    const value = path.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], json);
    if (value === undefined || value === null) {
      return null;
    }
    switch (kind) {
      case 'text':
        return value as string;
      case 'instant':
        return Date.parse(value as string);
      case 'count':
        return Number(value);
      case 'decimal':
        return typeof value === 'number' ? String(value) : (value as { readonly rawJSON: string }).rawJSON;
    }
  });
}
