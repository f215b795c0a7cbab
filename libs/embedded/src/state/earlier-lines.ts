import type { DatabaseSync } from 'node:sqlite';
import type { Reject } from '@meterflow/receipts';
import { transaction } from '../database.ts';
import { LineList, type LineKind } from './line-list.ts';

/** Blocks of lines, each many lines: a row for each would cost more than reading them does. */
export const lineBlocks = `
  create table if not exists line_blocks (
    delivery integer not null references deliveries (row),
    kind text not null,
    block integer not null,
    count integer not null,
    lines blob not null,
    primary key (delivery, kind, block)
  );
`;

const earlierTables = { reject: 'rejects', remark: 'remarks' } as const satisfies Record<LineKind, string>;
const linesPerPage = 1_000;

/** Files of earlier builds have a row for each line: puts them into blocks. */
export function foldEarlierLines(database: DatabaseSync): void {
  for (const kind of ['reject', 'remark'] as const) {
    const table = earlierTables[kind];
    const page = database.prepare(
      `select delivery, line, ${kind} as text from ${table} order by delivery, line limit ?`,
    );
    const remove = database.prepare(`delete from ${table} where delivery = ? and line = ?`);
    const list = new LineList(database, kind);
    let isMore = page.get(1) !== undefined;
    while (isMore) {
      isMore = transaction(database, () => {
        const rows = page.all(linesPerPage);
        for (const [delivery, lines] of Map.groupBy(rows, (row) => Number(row['delivery']))) {
          list.add(
            delivery,
            lines.map(({ text }) => JSON.parse(String(text)) as Reject),
          );
        }
        rows.forEach(({ delivery, line }) => remove.run(Number(delivery), Number(line)));
        return rows.length === linesPerPage;
      });
    }
  }
}
