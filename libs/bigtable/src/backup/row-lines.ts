import { FatalError } from '@meterflow/stage';
import type { Table } from '../client/table.ts';
import { tables } from '../schema.ts';
import type { StoredRow } from '../wire/read-rows.ts';
import type { RowChange } from '../wire/mutate-rows.ts';

/** What a backup is made of and written back to: the tables by their names in the schema. */
export interface Tables {
  readonly table: (name: string) => Table;
}

/**
 * In the order in which they are read, while others write: whatever tells of something before that itself (a receipt
 * before its readings), and last what must be ahead of all that refers to it. Uploads are requests under way.
 */
const order = [
  tables.sources.name,
  tables.ledger.name,
  tables.deadLetters.name,
  tables.aggregates.name,
  tables.contributions.name,
  tables.readings.name,
  tables.registry.name,
  tables.counters.name,
] as const;

/** Families that say what was erased. */
const tombstoneFamilies: Readonly<Record<string, string>> = {
  [tables.readings.name]: tables.readings.tombstones,
  [tables.aggregates.name]: tables.aggregates.tombstones,
  [tables.contributions.name]: tables.contributions.tombstones,
  [tables.deadLetters.name]: tables.deadLetters.tombstones,
  [tables.sources.name]: tables.sources.tombstones,
};

/**
 * What of a row tells of erasures: tombstones, the registry's entries, by which whatever else speaks of readings is erased
 * again, and counters: a ticket must never be taken that a tombstone of aggregates covers.
 */
function erasureCells([name, key, cells]: RowLine): RowLine[2] {
  const isKnown = name === tables.registry.name && Buffer.from(key, 'base64').toString().startsWith('erasure\0');
  return isKnown || name === tables.counters.name
    ? cells
    : cells.filter(([family]) => family === tombstoneFamilies[name]);
}

const formatLine = '{"meterflow":"bigtable rows","format":1}\n';
const endLine = '{"end":true}\n';
const pageRows = 500;
const everything = { from: Buffer.alloc(0), to: Buffer.alloc(0) };
const noFilter = Buffer.alloc(0);

/** A row as a line: its table, its key, and its cells as family, qualifier, microseconds and value. */
type RowLine = readonly [table: string, key: string, cells: readonly (readonly [string, string, number, string])[]];

/** Every cell of every table, a line a row. The last line says that it is whole. */
export async function* backupLines({ table }: Tables): AsyncGenerator<string> {
  yield formatLine;
  for (const name of order) {
    for await (const row of table(name).scan(everything, noFilter, pageRows)) {
      yield `${JSON.stringify(lineOf(name, row))}\n`;
    }
  }
  yield endLine;
}

/**
 * Writes a backup's cells to tables that are provisioned; resolves to the number of rows. Cells are sets that only grow,
 * so this may be repeated after it died on the way. With `tombstonesOnly` it writes what tells of erasures and nothing
 * else: of a later backup, so that what was erased since the one that is restored stays so. Rejects with FatalError where the
 * lines are not a whole backup, having written what came before.
 */
export async function restoreLines(
  { table }: Tables,
  lines: AsyncIterable<string>,
  { tombstonesOnly = false }: { readonly tombstonesOnly?: boolean } = {},
): Promise<number> {
  let rows = 0;
  let page: { readonly name: string; readonly changes: RowChange[] } = { name: '', changes: [] };
  const flush = async (): Promise<void> => {
    if (page.changes.length > 0) {
      await table(page.name).mutate(page.changes);
    }
  };
  for await (const row of rowLines(lines)) {
    const [name, key, cells] = row;
    if (page.name !== name || page.changes.length >= pageRows) {
      await flush();
      page = { name, changes: [] };
    }
    const kept = tombstonesOnly ? erasureCells(row) : cells;
    if (kept.length > 0) {
      page.changes.push(changeOf(key, kept));
      rows += 1;
    }
  }
  await flush();
  return rows;
}

/** The rows between the first line and the last; throws where either is missing. */
async function* rowLines(lines: AsyncIterable<string>): AsyncGenerator<RowLine> {
  let state: 'before' | 'within' | 'whole' = 'before';
  for await (const line of lines) {
    if (state === 'within' && line !== endLine.trimEnd()) {
      yield JSON.parse(line) as RowLine;
      continue;
    }
    if (state === 'before' && line !== formatLine.trimEnd()) {
      throw new FatalError('This is no backup of Bigtable rows, or one of another build.');
    }
    state = state === 'before' ? 'within' : 'whole';
  }
  if (state !== 'whole') {
    throw new FatalError('The backup ends before its end: it is not whole.');
  }
}

function lineOf(table: string, { key, cells }: StoredRow): RowLine {
  return [
    table,
    key.toString('base64'),
    cells.map(({ family, qualifier, micros, value }) => [
      family,
      qualifier.toString('base64'),
      micros,
      value.toString('base64'),
    ]),
  ];
}

function changeOf(key: string, cells: RowLine[2]): RowChange {
  return {
    key: Buffer.from(key, 'base64'),
    mutations: cells.map(([family, qualifier, micros, value]) => ({
      set: { family, qualifier: Buffer.from(qualifier, 'base64'), micros, value: Buffer.from(value, 'base64') },
    })),
  };
}
