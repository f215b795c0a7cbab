import { MalformedAnswerError, MessageReader } from './message-reader.ts';
import { ReverseWriter } from './reverse-writer.ts';
import type { RowFilter } from './row-filter.ts';

/** Keys in [from, to). */
export interface KeyRange {
  readonly from: Uint8Array;
  /** Empty: to the end of the table. */
  readonly to: Uint8Array;
}

export interface RowSet {
  readonly keys?: readonly Uint8Array[];
  readonly ranges?: readonly KeyRange[];
}

export interface ReadRowsRequest extends RowSet {
  readonly table: string;
  readonly appProfile: string;
  readonly filter: RowFilter;
  /** 0 for all. */
  readonly rowsMax: number;
}

export interface StoredCell {
  readonly family: string;
  readonly qualifier: Buffer;
  readonly micros: number;
  readonly value: Buffer;
}

export interface StoredRow {
  readonly key: Buffer;
  /** By family, qualifier, then newest first. */
  readonly cells: readonly StoredCell[];
}

export function encodeReadRows({ table, appProfile, keys, ranges, filter, rowsMax }: ReadRowsRequest): Buffer {
  const writer = new ReverseWriter();
  writer.textField(5, appProfile);
  writer.numberField(4, rowsMax);
  if (filter.length > 0) {
    writer.bytesField(3, filter);
  }
  const { length } = writer;
  for (const range of ranges ?? []) {
    const before = writer.length;
    if (range.to.length > 0) {
      writer.bytesField(3, range.to);
    }
    writer.bytesField(1, range.from);
    writer.head(2, before);
  }
  const named = keys ?? [];
  for (let key = named.length - 1; key >= 0; key--) {
    writer.bytesField(1, named[key] as Uint8Array);
  }
  writer.head(2, length);
  writer.textField(1, table);
  return writer.view(0);
}

/** Puts rows together from the pieces in which the server sends them. */
export class RowAssembler {
  readonly #rows: (row: StoredRow) => void;
  readonly #answer = new MessageReader(Buffer.alloc(0));
  readonly #chunk = new MessageReader(Buffer.alloc(0));
  readonly #wrapper = new MessageReader(Buffer.alloc(0));
  readonly #familyNames = new Map<string, string>();
  #key: Buffer | undefined;
  #cells: StoredCell[] = [];
  #family = '';
  #qualifier: Buffer = Buffer.alloc(0);
  #micros = 0;
  #parts: Buffer[] = [];

  constructor(rows: (row: StoredRow) => void) {
    this.#rows = rows;
  }

  take(bytes: Buffer): void {
    const answer = this.#answer;
    answer.open(bytes, 0, bytes.length);
    while (answer.next()) {
      if (answer.field === 1) {
        const start = answer.skipBytes();
        this.#take(bytes, start, answer.position);
      } else {
        answer.skip();
      }
    }
  }

  /** To be called at the end of the stream. */
  finish(): void {
    if (this.#key !== undefined) {
      throw new MalformedAnswerError('the rows end within one');
    }
  }

  #take(bytes: Buffer, from: number, to: number): void {
    const chunk = this.#chunk;
    chunk.open(bytes, from, to);
    let value: Buffer | undefined;
    let goesOn = false;
    let committed = false;
    while (chunk.next()) {
      switch (chunk.field) {
        case 1:
          this.#key = chunk.view();
          break;
        case 2:
          this.#family = this.#familyName(this.#wrapped(chunk));
          break;
        case 3:
          this.#qualifier = this.#wrapped(chunk);
          break;
        case 4:
          this.#micros = chunk.varint();
          break;
        case 6:
          value = chunk.view();
          break;
        case 7:
          goesOn = chunk.varint() > 0;
          break;
        case 8:
          chunk.varint();
          this.#reset();
          return;
        case 9:
          committed = chunk.varint() > 0;
          break;
        default:
          chunk.skip();
      }
    }
    this.#cell(value, goesOn);
    if (committed) {
      this.#commit();
    }
  }

  #cell(value: Buffer | undefined, goesOn: boolean): void {
    if (value !== undefined) {
      this.#parts.push(value);
    }
    if (goesOn) {
      return;
    }
    const [first] = this.#parts;
    const whole = first === undefined ? Buffer.alloc(0) : this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#cells.push({ family: this.#family, qualifier: this.#qualifier, micros: this.#micros, value: whole });
    this.#micros = 0;
  }

  #commit(): void {
    if (this.#key === undefined) {
      throw new MalformedAnswerError('a row without a key');
    }
    const row = { key: this.#key, cells: this.#cells };
    this.#reset();
    this.#rows(row);
  }

  #reset(): void {
    this.#key = undefined;
    this.#cells = [];
    this.#parts = [];
    this.#micros = 0;
  }

  /** The value of a wrapper message: empty where the wrapper is. */
  #wrapped(chunk: MessageReader): Buffer {
    const start = chunk.skipBytes();
    const { position: end, bytes } = chunk;
    if (start === end) {
      return bytes.subarray(start, end);
    }
    const wrapper = this.#wrapper;
    wrapper.open(bytes, start, end);
    wrapper.next();
    return wrapper.view();
  }

  /** One string for each family, not one for each cell. */
  #familyName(bytes: Buffer): string {
    const text = bytes.toString('latin1');
    const known = this.#familyNames.get(text);
    if (known === undefined) {
      this.#familyNames.set(text, text);
    }
    return known ?? text;
  }
}
