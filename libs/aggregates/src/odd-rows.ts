import { rareCounts, type AggregateRows, type RareCount } from './aggregate-batch.ts';

/** What of a row is kept only where it is out of the ordinary. */
export type OddColumns = Pick<AggregateRows, 'expected' | RareCount>;
const oddColumns = ['expected', ...rareCounts] as const;
type OddRow = Readonly<Record<'count' | (typeof oddColumns)[number], number>>;

/**
 * Collects the counts of rows that are out of the ordinary: as many readings as expected, all of them measured, are the
 * rule, and cost nothing here. Used again after each `finish`.
 */
export class OddRows {
  #row: number[] = [];
  #counts: number[] = [];

  note(index: number, row: OddRow): void {
    const rare = row.surplus | row.estimated | row.substituted | row.calculated | row.notBillable;
    if (row.expected !== row.count || rare !== 0) {
      this.#keep(index, row);
    }
  }

  /** Notes rows [from, to) of a batch as those that follow `at`. */
  copy(rows: AggregateRows, { from, to, at }: { from: number; to: number; at: number }): void {
    for (let row = from; row < to; row++) {
      if (isOddRow(rows, row)) {
        this.#row.push(at + row - from);
        this.#counts.push(...oddColumns.map((name) => rows[name][row] as number));
      }
    }
  }

  /** The columns of as many rows as there are counts. */
  finish(count: Uint32Array): OddColumns {
    if (this.#row.length === 0) {
      return ordinaryRows(count);
    }
    const columns = oddColumns.map((name) => (name === 'expected' ? count.slice() : new Uint32Array(count.length)));
    this.#row.forEach((row, odd) => {
      columns.forEach((column, number) => {
        column[row] = this.#counts[odd * oddColumns.length + number] as number;
      });
    });
    this.#row = [];
    this.#counts = [];
    return Object.fromEntries(oddColumns.map((name, number) => [name, columns[number]])) as unknown as OddColumns;
  }

  #keep(index: number, row: OddRow): void {
    this.#row.push(index);
    this.#counts.push(row.expected, row.surplus, row.estimated, row.substituted, row.calculated, row.notBillable);
  }
}

/** Whether a row says more than that all that was expected is there and measured. */
export function isOddRow(rows: AggregateRows, row: number): boolean {
  return (
    hasOddRows(rows) && (rows.expected[row] !== rows.count[row] || rareCounts.some((name) => rows[name][row] !== 0))
  );
}

/** False for most batches: theirs share the column of counts. */
export function hasOddRows(rows: AggregateRows): boolean {
  return rows.expected !== rows.count;
}

/** Shared by all batches without odd rows: never written to. */
let zeros = new Uint32Array(1_024);

/** The columns where no row is odd. */
export function ordinaryRows(count: Uint32Array): OddColumns {
  if (zeros.length < count.length) {
    zeros = new Uint32Array(count.length * 2);
  }
  const none = zeros.subarray(0, count.length);
  return { expected: count, surplus: none, estimated: none, substituted: none, calculated: none, notBillable: none };
}
