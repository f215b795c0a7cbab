type Signed = Int8Array | Int16Array | Int32Array | Float64Array;

/** Turns columns of numbers into signed integers of 1, 2 or 4 bytes, or floats of 8, little-endian, and back. */
export class ColumnWidths {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(lengthMax: number) {
    this.#bytes = new Uint8Array(lengthMax * 8);
  }

  /** Good until the next use. */
  put(column: Float64Array, width: number): Uint8Array {
    this.#column(column.length, width).set(column);
    return this.#bytes.subarray(0, column.length * width);
  }

  take(bytes: Uint8Array, width: number, column: Float64Array): void {
    this.#bytes.set(bytes);
    column.set(this.#column(column.length, width));
  }

  #column(length: number, width: number): Signed {
    const { buffer } = this.#bytes;
    switch (width) {
      case 1:
        return new Int8Array(buffer, 0, length);
      case 2:
        return new Int16Array(buffer, 0, length);
      case 4:
        return new Int32Array(buffer, 0, length);
      default:
        return new Float64Array(buffer, 0, length);
    }
  }
}
