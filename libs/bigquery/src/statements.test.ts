import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { warehouseTables, type TableSchema } from './schema.ts';
import { relations, currentName } from './sql/latest.ts';
import { addColumn, createTable, definitions, deleteErased, tombstone } from './sql/statements.ts';
import { startZetasql, type Zetasql } from './testing/zetasql.ts';

const named = (name: string): string => `\`${name}\``;
const parameters = {
  tenant: 'STRING',
  meter: 'STRING',
  channel: 'STRING',
  accepted_to: 'TIMESTAMP',
  ticket_to: 'INT64',
  erased_at: 'TIMESTAMP',
};
/** `MAX_BY(x, y)` is BigQuery's other name for this; the analyser is older than the name. */
const oldNames = (sql: string): string => sql.replaceAll(/MAX_BY\((.+), (order_key)\)/g, 'ANY_VALUE($1 HAVING MAX $2)');

/** What the views of the incremental forms may be asked for. */
const currents: TableSchema[] = relations.map((relation) => {
  const names = [...relation.identity, ...relation.decided].map((name) => name.replaceAll('`', ''));
  const columns = relation.rows.columns.filter(({ name }) => names.includes(name));
  return { ...relation.rows, name: currentName(relation), columns };
});

describe("Google's analyser takes", () => {
  let zetasql: Zetasql;
  beforeAll(async () => {
    zetasql = await startZetasql();
  });
  afterAll(() => zetasql.close());
  const judged = (sql: string): Promise<void> =>
    zetasql.analyze(oldNames(sql), { tables: [...warehouseTables, ...currents], parameters });

  test.each(warehouseTables.map((table) => [table.name, table] as const))('the table %s', async (_, table) => {
    await judged(createTable(table, named));
    await judged(addColumn(table, { name: 'later', type: 'STRING', added: true, description: "It's later." }, named));
  });

  test.each(definitions(named).map((definition) => [definition.kind, definition.name, definition] as const))(
    'the %s %s',
    async (_kind, _name, { statements }) => {
      for (const statement of statements) {
        await judged(statement);
      }
    },
  );

  test.each([tombstone(named), ...deleteErased(named)])('%s', async (statement) => {
    await judged(statement);
  });

  test('nothing that is wrong: an unknown column, two types that do not compare, broken syntax', async () => {
    await expect(judged('SELECT nothing FROM readings_rows')).rejects.toThrow('Unrecognized name: nothing');
    await expect(judged('SELECT 1 FROM readings_rows WHERE start = meter')).rejects.toThrow('No matching signature');
    await expect(judged('SELECT FROM WHERE')).rejects.toThrow('Syntax error');
  });
});
