import type { SheetLevel } from '@meterflow/aggregates';
import type { RowChange } from '../client/table.ts';
import type { Mutation } from '../wire/mutations.ts';
import type { StoredCell, StoredRow } from '../wire/read-rows.ts';
import { compareSheets, sheetFamilies, sheetQualifier, sheetStartMs } from './sheet-cell.ts';

/** One window's sheets: what was read of it, and what is to stay. */
interface Window {
  readonly read: StoredCell[];
  standing: Buffer | undefined;
  /** Set where the standing one is new. */
  put: { readonly startMs: number; readonly endMs: number; readonly blob: Buffer } | undefined;
}

/** The rows that a group of sheets touches: loaded, judged against, and written back as changes. */
export class SheetRows {
  readonly #family: string;
  readonly #rows = new Map<string, { readonly key: Buffer; readonly windows: Map<number, Window> }>();

  constructor(level: SheetLevel) {
    this.#family = sheetFamilies[level];
  }

  touch(key: Buffer): void {
    const text = key.toString('latin1');
    if (!this.#rows.has(text)) {
      this.#rows.set(text, { key, windows: new Map() });
    }
  }

  get keys(): Buffer[] {
    return [...this.#rows.values()].map(({ key }) => key);
  }

  load(row: StoredRow): void {
    for (const cell of row.cells) {
      if (cell.family === this.#family) {
        const window = this.#window(row.key, sheetStartMs(cell.qualifier));
        window.read.push(cell);
        if (window.standing === undefined || compareSheets(cell.value, window.standing) > 0) {
          window.standing = cell.value;
        }
      }
    }
  }

  standing(key: Buffer, startMs: number): Uint8Array | undefined {
    return this.#window(key, startMs).standing;
  }

  put(key: Buffer, sheet: { readonly startMs: number; readonly endMs: number; readonly blob: Buffer }): void {
    const window = this.#window(key, sheet.startMs);
    window.standing = sheet.blob;
    window.put = sheet;
  }

  /** In each row: deletes of what was read and is outranked, then what is new. */
  changes(): RowChange[] {
    return [...this.#rows.values()].flatMap(({ key, windows }): RowChange[] => {
      const mutations = [...windows.values()].flatMap((window) => this.#mutations(window));
      return mutations.length === 0 ? [] : [{ key, mutations }];
    });
  }

  #mutations({ read, standing, put }: Window): Mutation[] {
    const { length } = read;
    if (standing === undefined || (put === undefined && length < 2)) {
      return [];
    }
    const family = this.#family;
    const outranked = read.filter(({ value }) => compareSheets(value, standing) < 0);
    const removes = outranked.map(({ qualifier, micros }): Mutation => ({ remove: { family, qualifier, micros } }));
    if (put === undefined) {
      return removes;
    }
    const qualifier = sheetQualifier(put.startMs, put.blob);
    return [...removes, { set: { family, qualifier, micros: put.endMs * 1_000, value: put.blob } }];
  }

  #window(key: Buffer, startMs: number): Window {
    this.touch(key);
    const { windows } = this.#rows.get(key.toString('latin1')) as { windows: Map<number, Window> };
    const window = windows.get(startMs) ?? { read: [], standing: undefined, put: undefined };
    windows.set(startMs, window);
    return window;
  }
}
