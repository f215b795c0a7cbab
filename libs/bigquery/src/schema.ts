import type { Layer } from '@meterflow/readings';

export type ColumnType = 'STRING' | 'BYTES' | 'INT64' | 'TIMESTAMP' | 'NUMERIC';

export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Columns of the first release are in every row. One that is added later is not: rows of the builds before have none. */
  readonly added?: true;
  /** What stands for a value in rows that have none, in SQL. */
  readonly absent?: string;
  readonly description: string;
}

/** A table as it must be: what provisioning creates and checks, and what the statements and files are made for. */
export interface TableSchema {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly TableColumn[];
  readonly partition?: { readonly by: 'DAY' | 'MONTH'; readonly column: string };
  readonly cluster: readonly string[];
}

const column = (name: string, type: ColumnType, description: string): TableColumn => ({ name, type, description });

const addedColumn = (name: string, type: ColumnType, told: { description: string; absent: string }): TableColumn => ({
  name,
  type,
  added: true,
  ...told,
});
/** No reading was accepted, and none was highest, at this instant: it stands for none that is known. */
export const noInstant = "TIMESTAMP '1970-01-01 00:00:00+00'";

const addedCount = (name: string, description: string): TableColumn =>
  addedColumn(name, 'INT64', { description, absent: '0' });

const seriesColumns = [
  column('tenant', 'STRING', 'Whose reading it is.'),
  column('meter', 'STRING', 'The device.'),
  column('channel', 'STRING', 'One measured quantity of it.'),
] as const;

const cluster = ['tenant', 'meter', 'channel'] as const;
const writtenAt = column('written_at', 'TIMESTAMP', 'When the row came here; as-of questions ask by it.');
const orderKey = column('order_key', 'BYTES', 'Of the rows of one identity, the one with the greatest key counts.');

const readingColumns = [
  ...seriesColumns,
  column('start', 'TIMESTAMP', 'Event time.'),
  column('end', 'TIMESTAMP', 'Where the interval ends; equal to start for a register reading.'),
  column('value', 'NUMERIC', '0 where the quality is missing: the reading is absent.'),
  column('quality', 'STRING', 'measured, estimated, substituted, calculated or missing.'),
  column('unit', 'STRING', 'What the value counts.'),
  column('code', 'STRING', "The source's own quality code, or empty."),
  column('method', 'STRING', 'How it was estimated or substituted, or empty.'),
  column('reason', 'STRING', 'Why it is absent or was changed, or empty.'),
  column('declared_version', 'INT64', "The provider's own revision; 0 where it declared none."),
  column('accepted_at', 'TIMESTAMP', 'When the delivery was accepted; erasures compare with it.'),
  column('source', 'STRING', 'The delivery that brought it.'),
  writtenAt,
  orderKey,
];

const readingRows = (name: string, what: string): TableSchema => ({
  name,
  description: `${what}: every version that ever came, appended.`,
  columns: readingColumns,
  partition: { by: 'DAY', column: 'start' },
  cluster,
});

/** By layer. */
export const readingTables: Readonly<Record<Layer, TableSchema>> = {
  raw: readingRows('readings_raw_rows', 'Readings as they came'),
  validated: readingRows('readings_rows', 'Readings after the rules'),
};

export const aggregateTable: TableSchema = {
  name: 'aggregate_rows',
  description: 'Hours, local days and months of a series: every computation, appended.',
  columns: [
    ...seriesColumns,
    column('resolution', 'STRING', 'hour, day or month.'),
    column('start', 'TIMESTAMP', 'Where the window begins.'),
    column('end', 'TIMESTAMP', 'Where it ends.'),
    column('sum', 'NUMERIC', '0 where nothing is summed.'),
    column('min', 'NUMERIC', 'The least value.'),
    column('max', 'NUMERIC', 'The greatest value.'),
    column('mean', 'NUMERIC', 'Rounded half-even to nine decimals.'),
    column('count', 'INT64', 'Of readings with a value; 0 where the window is withdrawn, or all that came is surplus.'),
    column('quality', 'STRING', 'measured, estimated or calculated; missing where nothing is summed.'),
    column('unit', 'STRING', 'What the values count.'),
    column('ticket', 'INT64', 'Taken before the inputs were read; the higher one wins, erasures compare with it.'),
    writtenAt,
    orderKey,
    addedColumn('peak_at', 'TIMESTAMP', {
      description: 'When the greatest reading starts, the earliest of equals; 1970 where it is not known.',
      absent: noInstant,
    }),
    addedColumn('expected', 'INT64', {
      description: 'How many intervals of the registered length start in the window; -1 where it is not known.',
      absent: '-1',
    }),
    addedCount('surplus', 'Readings that are not summed: of another length, or in a unit that does not fit.'),
    addedCount('estimated', 'Of the count, those that are estimated.'),
    addedCount('substituted', 'Of the count, those that are substituted.'),
    addedCount('calculated', 'Of the count, those that are calculated.'),
    addedCount('not_billable', 'Of the count, those that must not be billed.'),
    addedCount('input_version', "The provider's newest revision among the inputs; 0 where it declared none."),
    addedColumn('input_accepted_at', 'TIMESTAMP', {
      description: 'When the newest undeclared input was accepted; 1970 where there is none.',
      absent: noInstant,
    }),
    addedCount('input_activation', 'The newest activation of rules among the inputs.'),
  ],
  partition: { by: 'MONTH', column: 'start' },
  cluster,
};

export const erasureTable: TableSchema = {
  name: 'erasures',
  description: 'Tombstones: what they cover is never shown again, however it comes back.',
  columns: [
    column('tenant', 'STRING', 'Whose readings were erased.'),
    column('meter', 'STRING', 'Of which meter; empty for all.'),
    column('channel', 'STRING', 'Of which channel; empty for all.'),
    column('accepted_to', 'TIMESTAMP', 'Readings accepted up to this instant are erased.'),
    column('ticket_to', 'INT64', 'Aggregates with a ticket up to this one are erased.'),
    column('erased_at', 'TIMESTAMP', 'When it was asked for.'),
  ],
  cluster: ['tenant'],
};

export const warehouseTables: readonly TableSchema[] = [
  readingTables.raw,
  readingTables.validated,
  aggregateTable,
  erasureTable,
];
