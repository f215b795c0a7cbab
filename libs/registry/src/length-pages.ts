import { setImmediate } from 'node:timers/promises';
import { keyBytes, keyOf, LengthPage, lengthText, type RegisteredLength } from './length-page.ts';

/** So many series are one page at the most when it is made; it may grow to twice as many. */
const seriesPerPage = 4_096;

/** Pages by the first bits of the series' hashes: a power of two of them. */
export class LengthPages {
  readonly pages: readonly LengthPage[];
  readonly count: number;
  readonly #bits: number;

  constructor(pages: readonly LengthPage[]) {
    this.pages = pages;
    this.count = pages.reduce((sum, { count }) => sum + count, 0);
    this.#bits = Math.log2(pages.length);
  }

  /** True where more were added than pages are for: they are to be built anew. */
  get isCrowded(): boolean {
    return this.count > 2 * seriesPerPage * this.pages.length;
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
    return pageOf(key.readUInt32BE(0), this.#bits);
  }
}

/** So many series are taken into one piece of memory, of which more are added as they come. */
const seriesPerBlock = 65_536;

interface Block {
  readonly keys: Buffer;
  readonly which: Uint32Array;
}

/** Takes series in any order, each once. */
export class LengthPagesBuilder {
  readonly #blocks: Block[] = [];
  #count = 0;
  readonly #lengths: RegisteredLength[] = [];
  readonly #placeOf = new Map<string, number>();

  add(path: string, length: RegisteredLength): void {
    const row = this.#count++ % seriesPerBlock;
    if (row === 0) {
      this.#blocks.push({ keys: Buffer.alloc(keyBytes * seriesPerBlock), which: new Uint32Array(seriesPerBlock) });
    }
    const { keys, which } = this.#blocks.at(-1) as Block;
    keyOf(path).copy(keys, row * keyBytes);
    which[row] = this.#place(length);
  }

  /** Page by page: after each, everybody else has their turn. */
  async build(): Promise<LengthPages> {
    const pages: LengthPage[] = [];
    for (const rows of this.#rowsByPage()) {
      pages.push(this.#page(rows));
      await setImmediate();
    }
    return new LengthPages(pages);
  }

  #page(rows: Uint32Array): LengthPage {
    const own = Buffer.alloc(rows.length * keyBytes);
    const lengths: RegisteredLength[] = [];
    rows.forEach((row, place) => {
      const { keys, which } = this.#blocks[Math.floor(row / seriesPerBlock)] as Block;
      const at = row % seriesPerBlock;
      keys.copy(own, place * keyBytes, at * keyBytes, (at + 1) * keyBytes);
      lengths.push(this.#lengths[which[at] as number] as RegisteredLength);
    });
    return LengthPage.of(own, lengths);
  }

  #place(length: RegisteredLength): number {
    const text = lengthText(length);
    const known = this.#placeOf.get(text) ?? this.#lengths.push(length) - 1;
    this.#placeOf.set(text, known);
    return known;
  }

  #rowsByPage(): Uint32Array[] {
    const bits = Math.max(0, Math.ceil(Math.log2(this.#count / seriesPerPage)));
    const counts = new Uint32Array(2 ** bits);
    this.#eachPage(bits, (page) => {
      counts[page] = (counts[page] as number) + 1;
    });
    const rows = Array.from(counts, (count) => new Uint32Array(count));
    counts.fill(0);
    this.#eachPage(bits, (page, row) => {
      const place = counts[page] as number;
      (rows[page] as Uint32Array)[place] = row;
      counts[page] = place + 1;
    });
    return rows;
  }

  #eachPage(bits: number, visit: (page: number, row: number) => void): void {
    for (let row = 0; row < this.#count; row++) {
      const { keys } = this.#blocks[Math.floor(row / seriesPerBlock)] as Block;
      visit(pageOf(keys.readUInt32BE((row % seriesPerBlock) * keyBytes), bits), row);
    }
  }
}

/** By the first bits of a hash. A shift by 32 would be one by 0. */
function pageOf(hash: number, bits: number): number {
  return bits === 0 ? 0 : hash >>> (32 - bits);
}

export const noLengthPages = new LengthPages([LengthPage.of(Buffer.alloc(0), [])]);
