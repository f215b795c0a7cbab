import { GrowingBytes } from './growing-bytes.ts';

/** The kinds of column that we write, all of them required: a value in every row. */
export type ColumnKind = 'text' | 'bytes' | 'integer' | 'instant' | 'decimal';

/** A column as it goes into a file: its values one after the other, and a dictionary where they point into one. */
export interface ColumnPages {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly values: Uint8Array;
  readonly dictionary?: { readonly count: number; readonly values: Uint8Array };
}

/** A column whose values mostly differ: each written as it is. Callers write `values` themselves, as the kind says. */
export class PlainColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly values = new GrowingBytes(64 * 1024);

  constructor(name: string, kind: ColumnKind) {
    this.name = name;
    this.kind = kind;
  }

  finish(): ColumnPages {
    return { name: this.name, kind: this.kind, values: this.values.bytes() };
  }
}

/** A column whose values stay the same for many rows: each value once, and runs of pointers to them. */
export class RunColumn<Value extends string | number> {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly #index = new Map<Value, number>();
  readonly #dictionary = new GrowingBytes();
  readonly #runs: number[] = [];
  #last = -1;
  #lastValue: Value | undefined;
  #count = 0;

  constructor(name: string, kind: ColumnKind) {
    this.name = name;
    this.kind = kind;
  }

  /** Appends `value` for `count` rows. */
  push(value: Value, count: number): void {
    if (value === this.#lastValue) {
      this.#count += count;
      return;
    }
    this.#closeRun();
    this.#lastValue = value;
    this.#last = this.#indexOf(value);
    this.#count = count;
  }

  finish(): ColumnPages {
    this.#closeRun();
    const width = Math.max(1, Math.ceil(Math.log2(this.#index.size)));
    const values = new GrowingBytes(this.#runs.length * 4 + 1);
    values.byte(width);
    for (let at = 0; at < this.#runs.length; at += 2) {
      values.varint((this.#runs[at + 1] as number) * 2);
      for (let bit = 0, rest = this.#runs[at] as number; bit < width; bit += 8, rest >>>= 8) {
        values.byte(rest & 0xff);
      }
    }
    const dictionary = { count: this.#index.size, values: this.#dictionary.bytes() };
    return { name: this.name, kind: this.kind, values: values.bytes(), dictionary };
  }

  #closeRun(): void {
    if (this.#count > 0) {
      this.#runs.push(this.#last, this.#count);
      this.#count = 0;
    }
  }

  #indexOf(value: Value): number {
    let index = this.#index.get(value);
    if (index === undefined) {
      index = this.#index.size;
      this.#index.set(value, index);
      if (typeof value === 'number') {
        this.#dictionary.int64(value);
      } else {
        this.#dictionary.text(value);
      }
    }
    return index;
  }
}
