import { bracketStep, closingQuote, notJson, quote, tooDeep, valueOf } from './json-value.ts';
import { jsonDepthMax } from './limits.ts';

const comma = 44;
const colon = 58;
const openingList = 91;
const openingObject = 123;
/** From an opening bracket of either kind to the one that closes it. */
const closingStep = 2;

/** A part of a text: from its first character up to the one after its last. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/**
 * A JSON text that is cut into parts before they are parsed, one by one: to parse 16 MB at one go would keep everybody
 * waiting. Whether a part is JSON shows when it is parsed; all methods throw InvalidJsonError.
 */
export class JsonDocument {
  readonly #text: string;
  /** All but the blanks at its ends. */
  readonly root: Part;

  constructor(text: string) {
    this.#text = text;
    this.root = this.#trimmed(0, text.length);
  }

  isList({ from }: Part): boolean {
    return this.#text.charCodeAt(from) === openingList;
  }

  isObject({ from }: Part): boolean {
    return this.#text.charCodeAt(from) === openingObject;
  }

  /** The parts between the brackets of a list or an object, which has `depth` brackets around it. */
  *partsOf({ from, to }: Part, depth: number): Generator<Part> {
    const text = this.#text;
    let start = from + 1;
    for (;;) {
      const end = this.#partEnd(start, jsonDepthMax - depth - 1);
      const isLast = text.charCodeAt(end) !== comma;
      const part = this.#trimmed(start, end);
      const isEmptyList = isLast && start === from + 1 && part.from === part.to;
      if (!isEmptyList) {
        yield part;
      }
      if (isLast && (end !== to - 1 || text.charCodeAt(end) !== text.charCodeAt(from) + closingStep)) {
        throw notJson;
      }
      if (isLast) {
        return;
      }
      start = end + 1;
    }
  }

  value({ from, to }: Part): unknown {
    return valueOf(this.#text.slice(from, to));
  }

  /** Its beginning, as it stands there. */
  beginningOf({ from, to }: Part, charsMax: number): string {
    return this.#text.slice(from, Math.min(to, from + charsMax));
  }

  /** What an object's part names, and by which name. */
  member(part: Part): { readonly name: unknown; readonly value: Part } {
    const text = this.#text;
    const nameEnd = text.charCodeAt(part.from) === quote ? closingQuote(text, part.from) + 1 : part.to;
    const rest = this.#trimmed(nameEnd, part.to);
    if (rest.from >= part.to || text.charCodeAt(rest.from) !== colon) {
      throw notJson;
    }
    return { name: this.value({ from: part.from, to: nameEnd }), value: this.#trimmed(rest.from + 1, part.to) };
  }

  /** Where the comma or the bracket stands that ends the part begun at `start`. */
  #partEnd(start: number, depthMax: number): number {
    const text = this.#text;
    let depth = 0;
    for (let index = start; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code === quote) {
        index = closingQuote(text, index);
        continue;
      }
      const step = bracketStep(code);
      if (depth === 0 && (code === comma || step < 0)) {
        return index;
      }
      depth += step;
      if (depth > depthMax) {
        throw tooDeep;
      }
    }
    throw notJson;
  }

  #trimmed(from: number, to: number): Part {
    const text = this.#text;
    let [start, end] = [from, Math.max(from, to)];
    while (start < end && isBlank(text.charCodeAt(start))) {
      start += 1;
    }
    while (end > start && isBlank(text.charCodeAt(end - 1))) {
      end -= 1;
    }
    return { from: start, to: end };
  }
}

function isBlank(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}
