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

interface Row {
  readonly key: Buffer;
  readonly length: RegisteredLength;
}

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
    this.digest = digestOf(JSON.stringify(this));
  }

  static of(rows: readonly Row[]): LengthPage {
    const sorted = [...rows].sort((a, b) => a.key.compare(b.key));
    const texts = [...new Set(sorted.map(({ length }) => lengthText(length)))].sort();
    const placeOf = new Map(texts.map((text, place) => [text, place]));
    return new LengthPage(
      Buffer.concat(sorted.map(({ key }) => key)),
      Uint16Array.from(sorted, ({ length }) => placeOf.get(lengthText(length)) as number),
      texts.map((text) => toLength(JSON.parse(text) as z.infer<typeof lengthSchema>)),
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

  /** The same but for these series: of each its key, and its length or undefined for none. */
  with(changes: ReadonlyMap<string, RegisteredLength | undefined>): LengthPage {
    const rows = new Map(this.#rows().map((row) => [row.key.toString('hex'), row]));
    for (const [hex, length] of changes) {
      rows.delete(hex);
      if (length !== undefined) {
        rows.set(hex, { key: Buffer.from(hex, 'hex'), length });
      }
    }
    return LengthPage.of([...rows.values()]);
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

  #rows(): Row[] {
    return Array.from(this.#which, (_, row) => ({
      key: this.#keys.subarray(row * keyBytes, (row + 1) * keyBytes),
      length: this.#lengthAt(row),
    }));
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

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digestHexChars);
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
