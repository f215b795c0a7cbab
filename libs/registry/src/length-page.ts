import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { IntervalPeriod } from './series-settings.ts';

/** The one length of a series; the lengths over time where it changes. */
export type RegisteredLength = number | readonly IntervalPeriod[];

/** So many bytes of a hash name a series: two of ten million share one in one of 300,000 such sets. */
export const keyBytes = 8;
const digestHexChars = 32;

export const lengthSchema = z.union([z.number(), z.array(z.tuple([z.number(), z.number().nullable()]))]);
export const lengthPageSchema = z.object({ lengths: z.array(lengthSchema), keys: z.string(), which: z.string() });
type PageValue = z.infer<typeof lengthPageSchema>;

/** Some series and their lengths, some ten bytes each: hashes of their paths, ascending, and which of a few lengths each has. */
export class LengthPage {
  readonly #keys: Buffer;
  readonly #which: Uint16Array;
  readonly #lengths: readonly RegisteredLength[];
  /** Names this content. */
  readonly digest: string;

  private constructor(keys: Buffer, which: Uint16Array, lengths: readonly RegisteredLength[]) {
    this.#keys = keys;
    this.#which = which;
    this.#lengths = lengths;
    this.digest = digestOf([JSON.stringify(lengths.map(fromLength)), keys, which]);
  }

  /** Of series in any order, each once: their keys one after the other, and the length of each. */
  static of(keys: Buffer, lengths: readonly RegisteredLength[]): LengthPage {
    const order = Uint32Array.from(lengths.keys()).sort((a, b) => compareKeys(keys, a, b));
    const sorted = Buffer.alloc(keys.length);
    order.forEach((row, place) => keys.copy(sorted, place * keyBytes, row * keyBytes, (row + 1) * keyBytes));
    const texts = lengths.map(lengthText);
    const distinct = [...new Set(texts)].sort();
    const placeOf = new Map(distinct.map((text, place) => [text, place]));
    return new LengthPage(
      sorted,
      Uint16Array.from(order, (row) => placeOf.get(texts[row] as string) as number),
      distinct.map((text) => toLength(JSON.parse(text) as z.infer<typeof lengthSchema>)),
    );
  }

  /** Reads what {@link toJSON} gave. Throws ZodError. */
  static parse(value: unknown): LengthPage {
    const { lengths, keys, which } = lengthPageSchema.parse(value);
    const places = Buffer.from(which, 'base64');
    return new LengthPage(
      Buffer.from(keys, 'base64'),
      Uint16Array.from({ length: places.length / 2 }, (_, row) => places.readUInt16BE(row * 2)),
      lengths.map(toLength),
    );
  }

  of(key: Buffer): RegisteredLength | undefined {
    const row = this.#rowOf(key);
    return row < 0 ? undefined : this.#lengthAt(row);
  }

  /** The same but for these series: of each its key as hexadecimal digits, and its length or undefined for none. */
  with(changes: ReadonlyMap<string, RegisteredLength | undefined>): LengthPage {
    const lengths = new Map(
      Array.from(this.#which, (_, row) => [
        this.#keys.toString('hex', row * keyBytes, (row + 1) * keyBytes),
        this.#lengthAt(row),
      ]),
    );
    for (const [key, length] of changes) {
      lengths.delete(key);
      if (length !== undefined) {
        lengths.set(key, length);
      }
    }
    return LengthPage.of(Buffer.from([...lengths.keys()].join(''), 'hex'), [...lengths.values()]);
  }

  toJSON(): PageValue {
    const places = Buffer.alloc(this.#which.length * 2);
    this.#which.forEach((place, row) => places.writeUInt16BE(place, row * 2));
    return {
      lengths: this.#lengths.map(fromLength),
      keys: this.#keys.toString('base64'),
      which: places.toString('base64'),
    };
  }

  get count(): number {
    return this.#which.length;
  }

  #lengthAt(row: number): RegisteredLength {
    return this.#lengths[this.#which[row] as number] as RegisteredLength;
  }

  #rowOf(key: Buffer): number {
    let [from, to] = [0, this.count - 1];
    while (from <= to) {
      const middle = (from + to) >>> 1;
      const order = this.#keys.compare(key, 0, keyBytes, middle * keyBytes, (middle + 1) * keyBytes);
      if (order === 0) {
        return middle;
      }
      [from, to] = order < 0 ? [middle + 1, to] : [from, middle - 1];
    }
    return -1;
  }
}

export function digestOf(parts: readonly (string | Uint8Array | Uint16Array)[]): string {
  const hash = createHash('sha256');
  parts.forEach((part) => hash.update(part));
  return hash.digest('hex').slice(0, digestHexChars);
}

function compareKeys(keys: Buffer, a: number, b: number): number {
  return keys.compare(keys, b * keyBytes, (b + 1) * keyBytes, a * keyBytes, (a + 1) * keyBytes);
}

/** Names a series within its tenant. */
export function keyOf(path: string): Buffer {
  return createHash('sha256').update(path).digest().subarray(0, keyBytes);
}

/** Equal for equal lengths. */
export function lengthText(length: RegisteredLength): string {
  return typeof length === 'number' ? String(length) : JSON.stringify(fromLength(length));
}

export function fromLength(length: RegisteredLength): z.infer<typeof lengthSchema> {
  return typeof length === 'number'
    ? length
    : length.map(({ fromMs, intervalMs }): [number, number | null] => [fromMs, intervalMs ?? null]);
}

export function toLength(value: z.infer<typeof lengthSchema>): RegisteredLength {
  return typeof value === 'number'
    ? value
    : value.map(([fromMs, intervalMs]) => ({ fromMs, intervalMs: intervalMs ?? undefined }));
}
