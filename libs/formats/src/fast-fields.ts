import { utcDayMs } from './calendar.ts';
import { clockMs, minuteBytes, minuteMs, secondBytes } from './clock-words.ts';
import type { TextTable } from './text-table.ts';

/*
 * The fast ways through one field of a CSV line, by bytes. Each `read` starts at the field's first byte and returns the
 * position after its last, or -1 for whatever is not of the plain form: then the line is read again the complete way.
 * That a delimiter follows, the caller sees. Every stretch of bytes that they see ends with a line feed, at which all of
 * them stop at the latest.
 */

const space = 32;
const quote = 34;
const plus = 43;
const minus = 45;
const dot = 46;
const zero = 48;
const nine = 57;
const colon = 58;
const letterT = 84;
const letterZ = 90;
/** Fields of names and codes up to this length are compared by bytes. */
const textBytesMax = 128;
/** Integers of so many digits are exact in float64, whatever digits they are. */
const digitsMax = 15;

/**
 * A field of names or codes, often that of the line before: printable ASCII without quotes or blanks at its ends, which
 * the table has an entry for.
 */
export class TextField<Entry> {
  entry: Entry | undefined;
  readonly #table: TextTable<Entry>;
  readonly #delimiter: number;
  /** The field as it came last, with the byte behind it, which says that it ends there. */
  readonly #last = new Uint8Array(textBytesMax + 1);
  #length = 0;
  #fixed: string | undefined;

  constructor(table: TextTable<Entry>, delimiter: number) {
    this.#table = table;
    this.#delimiter = delimiter;
  }

  read(bytes: Uint8Array, position: number): number {
    const last = this.#last;
    const length = this.#length;
    let offset = 0;
    while (offset < length && bytes[position + offset] === last[offset]) {
      offset += 1;
    }
    return offset === length && length > 0 ? position + length - 1 : this.#readNew(bytes, position);
  }

  /** For a field without a column: every line has this text. */
  fix(text: string): void {
    this.#fixed = text;
    this.entry = this.#table.findText(text);
  }

  /** Lets go of an entry that the table forgot. */
  forget(): void {
    this.#length = 0;
    this.entry = this.#fixed === undefined ? undefined : this.#table.findText(this.#fixed);
  }

  #readNew(bytes: Uint8Array, position: number): number {
    const end = plainTextEnd(bytes, position, this.#delimiter);
    const touchesBlank = end > position && (bytes[position] === space || bytes[end - 1] === space);
    if (end - position > textBytesMax || touchesBlank) {
      return -1;
    }
    const entry = this.#table.find(bytes, position, end);
    if (entry === undefined) {
      return -1;
    }
    this.entry = entry;
    this.#length = end - position + 1;
    for (let offset = 0; offset < this.#length; offset++) {
      this.#last[offset] = bytes[position + offset] as number;
    }
    return end;
  }
}

/** Where printable ASCII without quotes ends, or the delimiter stands. */
export function plainTextEnd(bytes: Uint8Array, position: number, delimiter: number): number {
  let end = position;
  let byte = bytes[end] as number;
  while (byte >= space && byte < 127 && byte !== delimiter && byte !== quote) {
    end += 1;
    byte = bytes[end] as number;
  }
  return end;
}

/** What a field of stamps needs to know of the zone. */
export interface DayOffsets {
  /** See {@link LocalClock}: NaN sends a stamp without offset the complete way. */
  dayOffsetMs(localDayMs: number): number;
}

/** How long the date of a stamp is, with the T or space behind it. */
const dateBytes = 11;

/** A stamp in ISO form: a date, T or a space, a time with or without seconds, zeros as fraction, and Z, an offset or nothing. */
export class StampField {
  ms = 0;
  /** Where the clock time of the stamp that was read last stands, and how long it is. */
  clock = 0;
  clockBytes = 0;
  readonly #offsets: DayOffsets;
  #dayMs = NaN;
  #offsetMs = NaN;

  constructor(offsets: DayOffsets) {
    this.#offsets = offsets;
  }

  read(bytes: Uint8Array, view: DataView, position: number): number {
    const clock = position + dateBytes;
    if (clock + secondBytes > bytes.length || !this.#readDate(bytes, position)) {
      return -1;
    }
    const hasSeconds = bytes[clock + minuteBytes] === colon;
    const timeMs = hasSeconds ? clockMs(view, clock) : minuteMs(view, clock);
    if (timeMs < 0) {
      return -1;
    }
    this.clock = clock;
    this.clockBytes = hasSeconds ? secondBytes : minuteBytes;
    this.ms = this.#dayMs + timeMs;
    const end = clock + this.clockBytes;
    return bytes[end] === letterZ ? end + 1 : this.#readRest(bytes, end, hasSeconds);
  }

  #readDate(bytes: Uint8Array, position: number): boolean {
    const year = twoDigits(bytes, position) * 100 + twoDigits(bytes, position + 2);
    const day = utcDayMs(year, twoDigits(bytes, position + 5), twoDigits(bytes, position + 8));
    const separator = bytes[position + 10];
    const isPlain = bytes[position + 4] === minus && bytes[position + 7] === minus && !Number.isNaN(day);
    if (!isPlain || (separator !== letterT && separator !== space)) {
      return false;
    }
    if (day !== this.#dayMs) {
      this.#dayMs = day;
      this.#offsetMs = this.#offsets.dayOffsetMs(day);
    }
    return true;
  }

  /** What may follow the clock time but for a Z: a fraction of zeros, then Z, an offset or nothing. */
  #readRest(bytes: Uint8Array, position: number, hasSeconds: boolean): number {
    let end = position;
    if (hasSeconds && bytes[end] === dot && bytes[end + 1] === zero) {
      end += 2;
      while (bytes[end] === zero && end - position < 9) {
        end += 1;
      }
    }
    const sign = bytes[end];
    if (sign === letterZ) {
      return end + 1;
    }
    if (sign === plus || sign === minus) {
      return this.#readOffset(bytes, end);
    }
    // On a day on which the clocks change, NaN: the complete way knows how to tell its hours apart.
    this.ms -= this.#offsetMs;
    return Number.isNaN(this.#offsetMs) ? -1 : end;
  }

  #readOffset(bytes: Uint8Array, position: number): number {
    const hours = twoDigits(bytes, position + 1);
    const minutes = twoDigits(bytes, position + 4);
    if (bytes[position + 3] !== colon || !(hours <= 18) || !(minutes <= 59)) {
      return -1;
    }
    const offsetMs = (hours * 60 + minutes) * 60_000;
    this.ms -= bytes[position] === minus ? -offsetMs : offsetMs;
    return position + 6;
  }
}

/** NaN where one of the two bytes is no digit. */
function twoDigits(bytes: Uint8Array, position: number): number {
  const first = (bytes[position] as number) - zero;
  const second = (bytes[position + 1] as number) - zero;
  return first >= 0 && first <= 9 && second >= 0 && second <= 9 ? first * 10 + second : NaN;
}

/** A number with at most {@link digitsMax} digits and without exponent, spaces around it allowed. */
export class ValueField {
  integer = 0;
  decimals = 0;
  /** Where its first digit stands, and what follows its last. */
  first = 0;
  rest = 0;
  readonly #mark: number;
  readonly #decimalsMax: number;

  constructor(mark: number, decimalsMax: number) {
    this.#mark = mark;
    this.#decimalsMax = decimalsMax;
  }

  read(bytes: Uint8Array, position: number): number {
    const start = afterBlanks(bytes, position);
    if (bytes[start] !== minus) {
      return this.#readDigits(bytes, start);
    }
    const end = this.#readDigits(bytes, start + 1);
    this.integer = this.integer === 0 ? 0 : -this.integer;
    return end;
  }

  #readDigits(bytes: Uint8Array, start: number): number {
    const point = digitsEnd(bytes, start);
    const end = bytes[point] === this.#mark ? digitsEnd(bytes, point + 1) : point;
    const decimals = Math.max(0, end - point - 1);
    const digits = point - start + decimals;
    if (digits === 0 || digits > digitsMax) {
      return -1;
    }
    this.first = start;
    this.rest = end;
    this.integer = digitsOf(bytes, point + 1, { to: end, before: digitsOf(bytes, start, { to: point, before: 0 }) });
    this.decimals = decimals;
    if (decimals > 0 && bytes[end - 1] === zero) {
      this.#dropZeros();
    }
    return this.decimals > this.#decimalsMax ? -1 : afterBlanks(bytes, end);
  }

  #dropZeros(): void {
    while (this.decimals > 0 && this.integer % 10 === 0) {
      this.integer /= 10;
      this.decimals -= 1;
    }
  }
}

function afterBlanks(bytes: Uint8Array, position: number): number {
  let end = position;
  while (bytes[end] === space) {
    end += 1;
  }
  return end;
}

function digitsEnd(bytes: Uint8Array, position: number): number {
  let end = position;
  let byte = bytes[end] as number;
  while (byte >= zero && byte <= nine) {
    end += 1;
    byte = bytes[end] as number;
  }
  return end;
}

/** The number of the digits in [from, to), written behind those of `before`. */
function digitsOf(
  bytes: Uint8Array,
  from: number,
  { to, before }: { readonly to: number; readonly before: number },
): number {
  let integer = before;
  for (let position = from; position < to; position++) {
    integer = integer * 10 + (bytes[position] as number) - zero;
  }
  return integer;
}

export const decimalMarks = { '.': dot, ',': 44 } as const;
