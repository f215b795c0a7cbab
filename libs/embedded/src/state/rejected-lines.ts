import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { rejectsShownMax, type Reject } from '@meterflow/receipts';

/** The lines of each delivery that were not taken, once a line. */
export class RejectedLines {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Called within the caller's transaction. A line that is there already stays as it is. */
  add(delivery: number, rejects: readonly Reject[]): void {
    const insert = this.#database.prepare('insert or ignore into rejects (delivery, line, reject) values (?, ?, ?)');
    for (const reject of rejects) {
      insert.run(delivery, reject.line, JSON.stringify(reject));
    }
  }

  count(delivery: number): number {
    const row = this.#database.prepare('select count(*) as count from rejects where delivery = ?').get(delivery);
    return Number(row?.['count']);
  }

  /** Those that a receipt shows. */
  first(delivery: number): readonly Reject[] {
    return this.after(delivery, { afterLine: -1, limit: rejectsShownMax });
  }

  /** In the order of their lines. */
  after(delivery: number, page: { readonly afterLine: number; readonly limit: number }): readonly Reject[] {
    return this.#database
      .prepare('select reject from rejects where delivery = ? and line > ? order by line limit ?')
      .all(delivery, page.afterLine, page.limit)
      .map(rejectOf);
  }
}

function rejectOf({ reject }: Record<string, SQLOutputValue>): Reject {
  return JSON.parse(String(reject)) as Reject;
}
