const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/** For texts of ASCII on their way to their bytes. */
const scratch = new Uint8Array(256);
/** Differs from process to process, so that nobody can prepare texts that all fall on one slot. No result depends on it. */
const hashSeed = crypto.getRandomValues(new Int32Array(1))[0] as number;

/**
 * Finds what belongs to a text by its bytes, so that a text that came before is not made again. Grows until cleared.
 * `make` gives the entry for a new text, or undefined for one that it refuses; refused texts are not kept.
 */
export class TextTable<Entry> {
  readonly #make: (text: string) => Entry | undefined;
  /** Open addressing: 0 is free, else the entry's number plus 1. */
  #slots = new Int32Array(64);
  #entries: Entry[] = [];
  /** The bytes of all texts, one after the other; text `i` ends at `#ends[i]`. */
  #bytes = new Uint8Array(1_024);
  #ends: number[] = [];

  constructor(make: (text: string) => Entry | undefined) {
    this.#make = make;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The entry of the text in bytes [from, to), which are valid UTF-8. */
  find(bytes: Uint8Array, from: number, to: number): Entry | undefined {
    let slot = hash(bytes, from, to) & (this.#slots.length - 1);
    for (let number = this.#slots[slot] as number; number !== 0; number = this.#slots[slot] as number) {
      if (this.#ends[number - 1] === this.#startOf(number - 1) + to - from && this.#equals(number - 1, bytes, from)) {
        return this.#entries[number - 1];
      }
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    return this.#add(bytes.subarray(from, to), slot);
  }

  findText(text: string): Entry | undefined {
    const { length } = text;
    if (length > scratch.length) {
      return this.#findEncoded(text);
    }
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) {
        return this.#findEncoded(text);
      }
      scratch[index] = code;
    }
    return this.find(scratch, 0, length);
  }

  #findEncoded(text: string): Entry | undefined {
    const bytes = encoder.encode(text);
    return text.isWellFormed() ? this.find(bytes, 0, bytes.length) : undefined;
  }

  clear(): void {
    this.#slots = new Int32Array(64);
    this.#entries = [];
    this.#bytes = new Uint8Array(1_024);
    this.#ends = [];
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number);
  }

  #equals(index: number, bytes: Uint8Array, from: number): boolean {
    const start = this.#startOf(index);
    const end = this.#ends[index] as number;
    for (let own = start, other = from; own < end; own++, other++) {
      if (this.#bytes[own] !== bytes[other]) {
        return false;
      }
    }
    return true;
  }

  #add(text: Uint8Array, slot: number): Entry | undefined {
    const entry = this.#make(utf8.decode(text));
    if (entry === undefined) {
      return undefined;
    }
    const from = this.#ends.at(-1) ?? 0;
    this.#reserve(from + text.length);
    this.#bytes.set(text, from);
    this.#ends.push(from + text.length);
    this.#slots[slot] = this.#entries.push(entry);
    if (this.#entries.length * 2 > this.#slots.length) {
      this.#rehash();
    }
    return entry;
  }

  #reserve(length: number): void {
    if (length > this.#bytes.length) {
      const longer = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 4);
    let from = 0;
    this.#ends.forEach((end, index) => {
      let slot = hash(this.#bytes, from, end) & (this.#slots.length - 1);
      while (this.#slots[slot] !== 0) {
        slot = (slot + 1) & (this.#slots.length - 1);
      }
      this.#slots[slot] = index + 1;
      from = end;
    });
  }
}

/** FNV-1a, seeded, with the high bits mixed down. */
function hash(bytes: Uint8Array, from: number, to: number): number {
  let value = hashSeed;
  for (let index = from; index < to; index++) {
    value = Math.imul(value ^ (bytes[index] as number), 0x01000193);
  }
  return (value ^ (value >>> 15)) >>> 0;
}
