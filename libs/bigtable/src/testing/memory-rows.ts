import type { ReadOptions, RowChange, RowTable } from '../client/table.ts';
import { MessageReader } from '../wire/message-reader.ts';
import { encodeEntries, type EncodedEntry } from '../wire/mutate-rows.ts';
import type { StoredCell, StoredRow } from '../wire/read-rows.ts';
import type { RowFilter } from '../wire/row-filter.ts';
import { evaluateFilter } from './evaluate-filter.ts';

/** Rows of cells in memory, changed and read as the service does it: each row's changes in their order, all at once. */
export class MemoryRows implements RowTable {
  readonly name = 'rows in memory';
  /** By key, then by family, qualifier and time. */
  readonly #rows = new Map<string, Map<string, StoredCell>>();

  read({ keys = [], ranges = [], filter, rowsMax = 0 }: ReadOptions): Promise<StoredRow[]> {
    const named = new Set(keys.map((key) => textOf(key)));
    const rows: StoredRow[] = [];
    for (const text of [...this.#rows.keys()].sort()) {
      const key = Buffer.from(text, 'latin1');
      const isAsked =
        named.has(text) ||
        ranges.some(({ from, to }) => key.compare(from) >= 0 && (to.length === 0 || key.compare(to) < 0));
      const cells = isAsked ? evaluateFilter(filter, this.#cells(text)) : [];
      if (cells.length > 0 && (rowsMax === 0 || rows.length < rowsMax)) {
        rows.push({ key, cells });
      }
    }
    return Promise.resolve(rows);
  }

  async *scan(
    range: { from: Uint8Array; to: Uint8Array },
    filter: RowFilter,
    pageRows: number,
  ): AsyncGenerator<StoredRow> {
    let { from } = range;
    for (;;) {
      const rows = await this.read({ ranges: [{ from, to: range.to }], filter, rowsMax: pageRows });
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageRows) {
        return;
      }
      from = Buffer.concat([last.key, Buffer.of(0)]);
    }
  }

  mutate(changes: readonly RowChange[]): Promise<void> {
    return this.mutateEncoded(encodeEntries(changes));
  }

  mutateEncoded(entries: readonly EncodedEntry[]): Promise<void> {
    for (const entry of entries) {
      this.#change(new MessageReader(Buffer.from(entry)));
    }
    return Promise.resolve();
  }

  #change(request: MessageReader): void {
    request.next();
    const entry = request.message();
    let cells = new Map<string, StoredCell>();
    while (entry.next()) {
      if (entry.field === 1) {
        const key = textOf(entry.view());
        cells = this.#rows.get(key) ?? cells;
        this.#rows.set(key, cells);
      } else {
        applyMutation(entry.message(), cells);
      }
    }
  }

  /** By family, qualifier, then newest first. */
  #cells(key: string): StoredCell[] {
    return [...(this.#rows.get(key)?.values() ?? [])].sort(
      (a, b) =>
        Buffer.from(a.family).compare(Buffer.from(b.family)) || a.qualifier.compare(b.qualifier) || b.micros - a.micros,
    );
  }
}

function applyMutation(mutation: MessageReader, cells: Map<string, StoredCell>): void {
  mutation.next();
  if (mutation.field === 1) {
    const cell = cellOf(mutation.message());
    cells.set(placeOf(cell), cell);
  } else if (mutation.field === 2) {
    const column = cellOf(mutation.message());
    for (const [place, cell] of cells) {
      const isColumn = cell.family === column.family && cell.qualifier.equals(column.qualifier);
      if (isColumn && (column.micros === 0 || cell.micros === column.micros)) {
        cells.delete(place);
      }
    }
  } else {
    cells.clear();
  }
}

/** A cell to set, or the one that a deletion names: its timestamp is then that of its range, 0 without one. */
function cellOf(message: MessageReader): StoredCell {
  const cell = { family: '', qualifier: Buffer.alloc(0), micros: 0, value: Buffer.alloc(0) };
  while (message.next()) {
    if (message.field === 1) {
      cell.family = message.view().toString();
    } else if (message.field === 2) {
      cell.qualifier = Buffer.from(message.view());
    } else if (message.field === 4) {
      cell.value = Buffer.from(message.view());
    } else {
      cell.micros = timestampOf(message);
    }
  }
  return cell;
}

/** Field 3: a number where a cell is set, a range where one is deleted. */
function timestampOf(message: MessageReader): number {
  if (!message.isMessage) {
    return message.varint();
  }
  const range = message.message();
  range.next();
  return range.varint();
}

function placeOf({ family, qualifier, micros }: StoredCell): string {
  return `${family} ${qualifier.toString('latin1')} ${micros}`;
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
