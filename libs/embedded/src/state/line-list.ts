import type { DatabaseSync } from 'node:sqlite';
import { rejectsShownMax, type Reject } from '@meterflow/receipts';
import { packedLines, unpackedLines } from './packed-lines.ts';

/** Why lines were not taken, and what was noticed about others. */
export const lineKinds = ['reject', 'remark'] as const;
export type LineKind = (typeof lineKinds)[number];

/** Lines whose numbers differ in less than this stand in one row. */
const linesPerBlock = 1_000;

/** What is to be said of lines of each delivery, once a line. Called within the caller's transaction where it writes. */
export class LineList {
  readonly #database: DatabaseSync;
  readonly #kind: LineKind;

  constructor(database: DatabaseSync, kind: LineKind) {
    this.#database = database;
    this.#kind = kind;
  }

  /** A line that is there already stays as it is. */
  add(delivery: number, lines: readonly Reject[]): void {
    for (const [block, added] of Map.groupBy(lines, ({ line }) => Math.floor(line / linesPerBlock))) {
      const there = this.#from(delivery, block)?.lines ?? [];
      const byLine = new Map<number, Reject>();
      for (const each of [...there, ...added]) {
        if (!byLine.has(each.line)) {
          byLine.set(each.line, each);
        }
      }
      if (byLine.size > there.length) {
        this.put(
          { delivery, block },
          [...byLine.values()].sort((a, b) => a.line - b.line),
        );
      }
    }
  }

  /** Makes the lines those of the block. */
  put({ delivery, block }: { readonly delivery: number; readonly block: number }, lines: readonly Reject[]): void {
    this.#database
      .prepare('insert or replace into line_blocks (delivery, kind, block, count, lines) values (?, ?, ?, ?, ?)')
      .run(delivery, this.#kind, block, lines.length, packedLines(lines));
  }

  count(delivery: number): number {
    const row = this.#database
      .prepare('select sum(count) as count from line_blocks where delivery = ? and kind = ?')
      .get(delivery, this.#kind);
    return Number(row?.['count'] ?? 0);
  }

  /** Those that a receipt shows. */
  first(delivery: number): readonly Reject[] {
    return this.after(delivery, { afterLine: -1, limit: rejectsShownMax });
  }

  /** In the order of their lines. */
  after(delivery: number, { afterLine, limit }: { readonly afterLine: number; readonly limit: number }): Reject[] {
    const found: Reject[] = [];
    let next = this.#nextFrom(delivery, Math.floor((afterLine + 1) / linesPerBlock));
    while (next !== undefined && found.length < limit) {
      found.push(...next.lines.filter(({ line }) => line > afterLine).slice(0, limit - found.length));
      next = this.#nextFrom(delivery, next.block + 1);
    }
    return found;
  }

  #from(delivery: number, block: number): { readonly block: number; readonly lines: readonly Reject[] } | undefined {
    const next = this.#nextFrom(delivery, block);
    return next?.block === block ? next : undefined;
  }

  /** The first block from this one on. */
  #nextFrom(delivery: number, from: number): { readonly block: number; readonly lines: readonly Reject[] } | undefined {
    const row = this.#database
      .prepare(
        'select block, lines from line_blocks where delivery = ? and kind = ? and block >= ? order by block limit 1',
      )
      .get(delivery, this.#kind, from);
    return row === undefined ? undefined : { block: Number(row['block']), lines: unpackedLines(row['lines']) };
  }
}
