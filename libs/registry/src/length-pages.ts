import { setImmediate } from 'node:timers/promises';
import { keyBytes, keyOf, LengthPage, lengthText, type RegisteredLength } from './length-page.ts';

/** So many series of a hash's beginning are one page, or up to about twice as many. */
const seriesPerPage = 4_096;

/** Pages by the first bits of the series' hashes: a power of two of them. */
export class LengthPages {
  readonly pages: readonly LengthPage[];
  readonly count: number;
  readonly #shift: number;

  constructor(pages: readonly LengthPage[]) {
    this.pages = pages;
    this.count = pages.reduce((sum, { count }) => sum + count, 0);
    this.#shift = 32 - Math.log2(pages.length);
  }

  of(path: string): RegisteredLength | undefined {
    const key = keyOf(path);
    return this.pages[this.#pageOf(key)]?.of(key);
  }

  /** The same but for these series; the pages that they are not in are shared. */
  with(changes: ReadonlyMap<string, RegisteredLength | undefined>): LengthPages {
    const byPage = new Map<number, Map<string, RegisteredLength | undefined>>();
    for (const [path, length] of changes) {
      const key = keyOf(path);
      const page = this.#pageOf(key);
      const own = byPage.get(page) ?? new Map<string, RegisteredLength | undefined>();
      byPage.set(page, own.set(key.toString('hex'), length));
    }
    return new LengthPages(
      this.pages.map((page, at) => {
        const own = byPage.get(at);
        return own === undefined ? page : page.with(own);
      }),
    );
  }

  #pageOf(key: Buffer): number {
    // A shift by 32 would be one by 0.
    return this.pages.length === 1 ? 0 : key.readUInt32BE(0) >>> this.#shift;
  }
}

/** Takes series in any order, each once. */
export class LengthPagesBuilder {
  #keys = Buffer.alloc(keyBytes * 64);
  #which = new Uint32Array(64);
  #count = 0;
  readonly #lengths: RegisteredLength[] = [];
  readonly #placeOf = new Map<string, number>();

  add(path: string, length: RegisteredLength): void {
    if (this.#count === this.#which.length) {
      this.#keys = Buffer.concat([this.#keys, Buffer.alloc(this.#keys.length)]);
      const longer = new Uint32Array(this.#which.length * 2);
      longer.set(this.#which);
      this.#which = longer;
    }
    keyOf(path).copy(this.#keys, this.#count * keyBytes);
    this.#which[this.#count++] = this.#place(length);
  }

  /** Page by page: after each, everybody else has their turn. */
  async build(): Promise<LengthPages> {
    const bits = Math.max(0, Math.ceil(Math.log2(this.#count / seriesPerPage)));
    const rowsOf = this.#rowsByPage(bits);
    const pages: LengthPage[] = [];
    for (const rows of rowsOf) {
      pages.push(
        LengthPage.of(
          Array.from(rows, (row) => ({
            key: this.#keys.subarray(row * keyBytes, (row + 1) * keyBytes),
            length: this.#lengths[this.#which[row] as number] as RegisteredLength,
          })),
        ),
      );
      await setImmediate();
    }
    return new LengthPages(pages);
  }

  #place(length: RegisteredLength): number {
    const text = lengthText(length);
    const known = this.#placeOf.get(text) ?? this.#lengths.push(length) - 1;
    this.#placeOf.set(text, known);
    return known;
  }

  #rowsByPage(bits: number): Uint32Array[] {
    const pageAt = (row: number): number => (bits === 0 ? 0 : this.#keys.readUInt32BE(row * keyBytes) >>> (32 - bits));
    const counts = new Uint32Array(2 ** bits);
    for (let row = 0; row < this.#count; row++) {
      counts[pageAt(row)] = (counts[pageAt(row)] as number) + 1;
    }
    const rows = Array.from(counts, (count) => new Uint32Array(count));
    const filled = new Uint32Array(counts.length);
    for (let row = 0; row < this.#count; row++) {
      const page = pageAt(row);
      const place = filled[page] as number;
      (rows[page] as Uint32Array)[place] = row;
      filled[page] = place + 1;
    }
    return rows;
  }
}

export const noLengthPages = new LengthPages([LengthPage.of([])]);
