import { clockMs, minuteMs, secondBytes } from './clock-words.ts';
import { stretchLinesMax, type Stretch } from './row.ts';

const wordBytes = 8;
const zero = 48;
/** Lines whose constant parts are longer are read one by one. */
const partBytesMax = 512;
/** Integers of so many digits are exact in float64, whatever digits they are. */
const digitsMax = 15;

/** Where the parts of a line begin that may change from line to line: clock time and digits of the value. */
export interface LineParts {
  readonly start: number;
  readonly clock: number;
  /** HH:MM:SS or HH:MM. */
  readonly clockBytes: number;
  readonly number: number;
  /** After the last digit. */
  readonly rest: number;
  /** After the line feed. */
  readonly end: number;
}

/**
 * The innermost loop: lines that are, byte by byte, the line that was learned but for the clock time of their stamp and
 * the digits of their value.
 *
 *     7855756,import,2012-10-28T | 23:00:00 | Z, | 0.03 | ,kWh\n
 *     head                         clock      gap  number tail
 */
export class AlikeLines {
  readonly #mark: number;
  readonly #decimalsMax: number;
  /** The head as float64: the text that a line was read from has no bytes that make a NaN or -0. The last may overlap. */
  readonly #headWords = new Float64Array(partBytesMax / wordBytes + 1);
  #headLength = 0;
  readonly #gap = new ConstantPart();
  readonly #tail = new ConstantPart();
  #clockBytes = 0;
  /** What a clock time is added to. */
  #baseMs = 0;

  constructor(mark: number, decimalsMax: number) {
    this.#mark = mark;
    this.#decimalsMax = decimalsMax;
  }

  /**
   * Learns a line that was read, with the instant of its stamp; false where the one after it is not alike, or its parts
   * are too long.
   */
  learn(bytes: Uint8Array, view: DataView, { parts, ms }: { readonly parts: LineParts; readonly ms: number }): boolean {
    const { start, clock, clockBytes, number, rest, end } = parts;
    const headLength = clock - start;
    if (headLength > partBytesMax || !isSame(view, parts, headLength)) {
      return false;
    }
    if (!this.#gap.learn(bytes, clock + clockBytes, number) || !this.#tail.learn(bytes, rest, end)) {
      return false;
    }
    this.#headLength = headLength;
    this.#clockBytes = clockBytes;
    this.#baseMs = ms - this.#clockMs(view, clock);
    const lastWord = headLength - wordBytes;
    let word = 0;
    for (let offset = 0; offset < lastWord; offset += wordBytes, word++) {
      this.#headWords[word] = view.getFloat64(start + offset, true);
    }
    this.#headWords[word] = view.getFloat64(start + lastWord, true);
    return true;
  }

  /** Appends the lines from `start` on that are alike to `lines`; returns the position after them. */
  read(bytes: Uint8Array, view: DataView, into: { readonly lines: Stretch; readonly start: number }): number {
    const { lines } = into;
    const headLength = this.#headLength;
    const lastStart = bytes.length - headLength - secondBytes;
    let position = into.start;
    while (position <= lastStart && lines.count < stretchLinesMax && this.#isHead(view, position)) {
      const clock = position + headLength;
      const ms = this.#clockMs(view, clock);
      const number = ms < 0 ? -1 : this.#gap.pass(bytes, clock + this.#clockBytes);
      const rest = number < 0 ? -1 : this.#readNumber(bytes, number, lines);
      const end = rest < 0 ? -1 : this.#tail.pass(bytes, rest);
      if (end < 0) {
        break;
      }
      lines.startMs[lines.count] = this.#baseMs + ms;
      lines.ends[lines.count] = end;
      lines.count += 1;
      position = end;
    }
    return position;
  }

  #clockMs(view: DataView, position: number): number {
    return this.#clockBytes === secondBytes ? clockMs(view, position) : minuteMs(view, position);
  }

  #isHead(view: DataView, position: number): boolean {
    const words = this.#headWords;
    const lastWord = position + this.#headLength - wordBytes;
    let word = 0;
    let at = position;
    while (at < lastWord && view.getFloat64(at, true) === words[word]) {
      at += wordBytes;
      word += 1;
    }
    return at >= lastWord && view.getFloat64(lastWord, true) === words[word];
  }

  /** Reads digits, a mark and digits into the next place of `lines`; returns the position after them. */
  #readNumber(bytes: Uint8Array, start: number, lines: Stretch): number {
    let integer = 0;
    let end = start;
    let digit = (bytes[end] as number) - zero;
    while (digit >= 0 && digit <= 9) {
      integer = integer * 10 + digit;
      end += 1;
      digit = (bytes[end] as number) - zero;
    }
    let digits = end - start;
    let decimals = 0;
    if (digit + zero === this.#mark) {
      const point = end;
      end += 1;
      digit = (bytes[end] as number) - zero;
      while (digit >= 0 && digit <= 9) {
        integer = integer * 10 + digit;
        end += 1;
        digit = (bytes[end] as number) - zero;
      }
      decimals = end - point - 1;
      digits += decimals;
    }
    const fits = digits > 0 && digits <= digitsMax && decimals <= this.#decimalsMax;
    lines.integers[lines.count] = integer;
    lines.decimals[lines.count] = decimals;
    if (decimals > 0 && bytes[end - 1] === zero) {
      dropZeros(lines);
    }
    return fits ? end : -1;
  }
}

/** True where the line after this one begins with the same `length` bytes: else it is not worth learning this one. */
function isSame(view: DataView, { start, end }: LineParts, length: number): boolean {
  const last = length - wordBytes;
  if (end + length > view.byteLength || view.getFloat64(start + last, true) !== view.getFloat64(end + last, true)) {
    return false;
  }
  let offset = 0;
  while (offset < last && view.getFloat64(start + offset, true) === view.getFloat64(end + offset, true)) {
    offset += wordBytes;
  }
  return offset >= last;
}

/** Makes the value in the next place of `lines` one without zeros at its end. */
function dropZeros(lines: Stretch): void {
  let integer = lines.integers[lines.count] as number;
  let decimals = lines.decimals[lines.count] as number;
  while (decimals > 0 && integer % 10 === 0) {
    integer /= 10;
    decimals -= 1;
  }
  lines.integers[lines.count] = integer;
  lines.decimals[lines.count] = decimals;
}

/** Bytes that are the same in all alike lines. */
class ConstantPart {
  readonly #bytes = new Uint8Array(partBytesMax);
  #length = 0;

  /** Learns the bytes [from, to); false where they are too many. */
  learn(bytes: Uint8Array, from: number, to: number): boolean {
    this.#length = to - from;
    if (this.#length > partBytesMax) {
      return false;
    }
    for (let offset = 0; offset < this.#length; offset++) {
      this.#bytes[offset] = bytes[from + offset] as number;
    }
    return true;
  }

  /** The position after these bytes; -1 where others stand. */
  pass(bytes: Uint8Array, position: number): number {
    const known = this.#bytes;
    const length = this.#length;
    let offset = 0;
    while (offset < length && bytes[position + offset] === known[offset]) {
      offset += 1;
    }
    return offset === length ? position + length : -1;
  }
}
