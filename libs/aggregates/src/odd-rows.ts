import { rareCounts, type AggregateRows, type RareCount } from './aggregate-batch.ts';
import type { SheetCursor } from './sheet-cursor.ts';

/** What of a row is kept only where it is out of the ordinary. */
export type OddColumns = Pick<AggregateRows, 'expected' | 'odd' | RareCount>;
/** In the order in which a row's counts are kept one after the other. */
export const oddCounts = ['expected', ...rareCounts] as const;
type OddRow = Readonly<Record<'count' | (typeof oddCounts)[number], number>>;

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
      this.#row.push(index);
      this.#counts.push(row.expected, row.surplus, row.estimated, row.substituted, row.calculated, row.notBillable);
    }
  }

  /** Notes the rows of the cursor's sheet as those that follow `at`. */
  copy({ batch: { rows }, rowsFrom, oddFrom, oddTo }: SheetCursor, at: number): void {
    for (let odd = oddFrom; odd < oddTo; odd++) {
      const row = rows.odd[odd] as number;
      this.#row.push(at + row - rowsFrom);
      for (const name of oddCounts) {
        this.#counts.push(rows[name][row] as number);
      }
    }
  }

  /** The columns of as many rows as there are counts. */
  finish(count: Uint32Array): OddColumns {
    if (this.#row.length === 0) {
      return ordinaryRows(count);
    }
    const columns = oddRows(count, this.#row, (odd, number) => this.#counts[odd * oddCounts.length + number] as number);
    this.#row = [];
    this.#counts = [];
    return columns;
  }
}

/**
 * The columns where none but the rows `told`, rising, are out of the ordinary; `countOf` tells the counts of each of them,
 * by its place among them and the place of the count among {@link oddCounts}.
 */
export function oddRows(
  count: Uint32Array,
  told: ArrayLike<number>,
  countOf: (index: number, number: number) => number,
): OddColumns {
  const columns = { ...ordinaryRows(count), expected: count.slice() };
  const none = columns.surplus;
  oddCounts.forEach((name, number) => {
    for (let index = 0; index < told.length; index++) {
      const value = countOf(index, number);
      if (name !== 'expected' && value !== 0 && columns[name] === none) {
        columns[name] = new Uint32Array(count.length);
      }
      if (columns[name] !== none) {
        columns[name][told[index] as number] = value;
      }
    }
  });
  return { ...columns, odd: trulyOdd(told, columns, count) };
}

/** What stands for a row of its own must be one: equal rows have equal bytes. */
function trulyOdd(told: ArrayLike<number>, columns: OddColumns, count: Uint32Array): Uint32Array {
  const odd = Uint32Array.from(told);
  let length = 0;
  for (const row of odd) {
    if (columns.expected[row] !== count[row] || rareCounts.some((name) => columns[name][row] !== 0)) {
      odd[length++] = row;
    }
  }
  return length === odd.length ? odd : odd.slice(0, length);
}

/** Shared by all batches without odd rows: never written to. */
let zeros = new Uint32Array(1_024);
const noRows = new Uint32Array(0);

/** The columns where no row is odd. */
export function ordinaryRows(count: Uint32Array): OddColumns {
  if (zeros.length < count.length) {
    zeros = new Uint32Array(count.length * 2);
  }
  const none = zeros.subarray(0, count.length);
  return {
    ...{ expected: count, odd: noRows },
    ...{ surplus: none, estimated: none, substituted: none, calculated: none, notBillable: none },
  };
}
