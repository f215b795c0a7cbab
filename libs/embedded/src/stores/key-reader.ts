import type { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * Reads what is stored under many keys in one statement, at a third of what a look-up for each costs: of live push a write
 * touches one day of each of thousands of series. What is found comes as one blob, as in {@link RangeReader}.
 */
export class KeyReader {
  readonly #statement: StatementSync;

  constructor(database: DatabaseSync, { table, column }: { readonly table: string; readonly column: string }) {
    this.#statement = database.prepare(
      `select cast(group_concat(${column}, '') as blob), group_concat(wanted.value || ' ' || length(${column}), ' ')
       from json_each(?) as wanted cross join ${table} as stored on stored.key = wanted.value`,
    );
    this.#statement.setReturnArrays(true);
  }

  /** By key, undefined where nothing is stored. */
  read(keys: readonly number[]): Map<number, Uint8Array | undefined> {
    const found = new Map<number, Uint8Array | undefined>(keys.map((key) => [key, undefined]));
    const row = this.#statement.get(JSON.stringify(keys)) as unknown as [Uint8Array | null, string | null];
    const [blob, parts] = row;
    if (blob === null || parts === null) {
      return found;
    }
    const numbers = parts.split(' ');
    for (let index = 0, from = 0; index < numbers.length; index += 2) {
      const to = from + Number(numbers[index + 1]);
      found.set(Number(numbers[index]), blob.subarray(from, to));
      from = to;
    }
    return found;
  }
}
