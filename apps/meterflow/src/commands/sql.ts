import type { GlobalOptions, Output } from '../cli-context.ts';
import { parseExact, shownValue } from '../client/exact-json.ts';
import type { Row } from '../client/pages.ts';
import { askServer } from '../client/with-server.ts';
import { table } from '../terminal/table.ts';

/** Runs one SELECT over the views readings, readings_raw and aggregates. With --json: an array of objects. */
export async function sql(statement: string, globals: GlobalOptions, output: Output): Promise<void> {
  const text = await askServer(globals, ({ control }) =>
    control.text({ method: 'POST', path: '/v1/sql', tenant: 'default', role: 'operator', body: { sql: statement } }),
  );
  if (globals.json) {
    output.line(text);
    return;
  }
  const rows = parseExact(text) as readonly Row[];
  const columns = Object.keys(rows[0] ?? {});
  output.line(
    table(
      columns,
      rows.map((row) => columns.map((column) => shownValue(row[column]))),
    ),
  );
  output.note(`${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`);
}
