import type { DatabaseSync } from 'node:sqlite';
import { rejectsShownMax, type Reject } from '@meterflow/receipts';

/** Tables of what is to be said of single lines, and the column that says it. */
export const lineTables = { rejects: 'reject', remarks: 'remark' } as const;
export type LineTable = keyof typeof lineTables;

/** What is to be said of lines of each delivery, once a line: why they were not taken, or what was noticed. */
export class LineList {
  readonly #database: DatabaseSync;
  readonly #table: LineTable;

  constructor(database: DatabaseSync, table: LineTable) {
    this.#database = database;
    this.#table = table;
  }

  /** Called within the caller's transaction. A line that is there already stays as it is. */
  add(delivery: number, lines: readonly Reject[]): void {
    const insert = this.#database.prepare(
      `insert or ignore into ${this.#table} (delivery, line, ${lineTables[this.#table]}) values (?, ?, ?)`,
    );
    for (const line of lines) {
      insert.run(delivery, line.line, JSON.stringify(line));
    }
  }

  count(delivery: number): number {
    const row = this.#database.prepare(`select count(*) as count from ${this.#table} where delivery = ?`).get(delivery);
    return Number(row?.['count']);
  }

  /** Those that a receipt shows. */
  first(delivery: number): readonly Reject[] {
    return this.after(delivery, { afterLine: -1, limit: rejectsShownMax });
  }

  /** In the order of their lines. */
  after(delivery: number, page: { readonly afterLine: number; readonly limit: number }): readonly Reject[] {
    const column = lineTables[this.#table];
    return this.#database
      .prepare(`select ${column} from ${this.#table} where delivery = ? and line > ? order by line limit ?`)
      .all(delivery, page.afterLine, page.limit)
      .map((row) => JSON.parse(String(row[column])) as Reject);
  }
}
