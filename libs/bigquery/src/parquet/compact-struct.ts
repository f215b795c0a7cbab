import { GrowingBytes } from './growing-bytes.ts';

/** Thrift's compact protocol, as far as Parquet's footers and page headers need it. */
const wire = { int32: 5, int64: 6, binary: 8, list: 9, struct: 12 } as const;
type Wire = keyof typeof wire;

/** A struct's fields, appended in ascending order of their numbers. */
export class CompactStruct {
  readonly #bytes = new GrowingBytes(64);
  #last = 0;

  int32(field: number, value: number): this {
    this.#begin(field, 'int32');
    this.#bytes.varint(zigzag(value));
    return this;
  }

  int64(field: number, value: number): this {
    this.#begin(field, 'int64');
    this.#bytes.varint(zigzag(value));
    return this;
  }

  text(field: number, text: string): this {
    this.#begin(field, 'binary');
    appendText(this.#bytes, text);
    return this;
  }

  struct(field: number, value: CompactStruct): this {
    this.#begin(field, 'struct');
    this.#bytes.append(value.finish());
    return this;
  }

  structs(field: number, values: readonly CompactStruct[]): this {
    this.#list(field, 'struct', values.length);
    for (const value of values) {
      this.#bytes.append(value.finish());
    }
    return this;
  }

  int32s(field: number, values: readonly number[]): this {
    this.#list(field, 'int32', values.length);
    for (const value of values) {
      this.#bytes.varint(zigzag(value));
    }
    return this;
  }

  texts(field: number, values: readonly string[]): this {
    this.#list(field, 'binary', values.length);
    for (const value of values) {
      appendText(this.#bytes, value);
    }
    return this;
  }

  /** The struct's bytes. To be called once. */
  finish(): Uint8Array {
    this.#bytes.byte(0);
    return this.#bytes.bytes();
  }

  #begin(field: number, type: Wire): void {
    this.#bytes.byte(((field - this.#last) << 4) | wire[type]);
    this.#last = field;
  }

  #list(field: number, of: Wire, count: number): void {
    this.#begin(field, 'list');
    if (count < 15) {
      this.#bytes.byte((count << 4) | wire[of]);
    } else {
      this.#bytes.byte(0xf0 | wire[of]);
      this.#bytes.varint(count);
    }
  }
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

const encoder = new TextEncoder();

function appendText(bytes: GrowingBytes, text: string): void {
  const encoded = encoder.encode(text);
  bytes.varint(encoded.length);
  bytes.append(encoded);
}
