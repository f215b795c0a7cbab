import type { SeriesName } from '@meterflow/readings';
import type { Tags, TagValue } from './series-settings.ts';

/** Which series a group holds, as `grid_area = 804 and not (supplier in ('X', 'Y') or channel = export)` says it. */
export type GroupFilter =
  | { readonly is: 'and' | 'or'; readonly parts: readonly GroupFilter[] }
  | { readonly is: 'not'; readonly part: GroupFilter }
  | { readonly is: 'in'; readonly field: string; readonly values: readonly TagValue[] };

/** Thrown when a text is not a filter; `at` counts its characters from 1. */
export class FilterSyntaxError extends Error {
  override readonly name = 'FilterSyntaxError';
  readonly at: number;

  constructor(problem: string, at: number) {
    super(`${problem}, at character ${at} of the filter`);
    this.at = at;
  }
}

export const filterCharsMax = 4_000;
export const filterDepthMax = 32;

/** Parses a filter. Throws {@link FilterSyntaxError}. */
export function parseFilter(text: string): GroupFilter {
  if (text.length > filterCharsMax) {
    throw new FilterSyntaxError(`a filter has ${filterCharsMax} characters at most`, filterCharsMax + 1);
  }
  return new Parser(text).whole();
}

/** `meter` and `channel` are the series' own, whatever its tags say; a tag that it has not is equal to nothing. */
export function matches(filter: GroupFilter, series: SeriesName, tags: Tags): boolean {
  switch (filter.is) {
    case 'and':
      return filter.parts.every((part) => matches(part, series, tags));
    case 'or':
      return filter.parts.some((part) => matches(part, series, tags));
    case 'not':
      return !matches(filter.part, series, tags);
    case 'in': {
      const value = valueOf(filter.field, series, tags);
      return value !== undefined && filter.values.some((each) => isEqual(each, value));
    }
  }
}

/** Whether it asks for this field anywhere. */
export function asksFor(filter: GroupFilter, field: string): boolean {
  switch (filter.is) {
    case 'and':
    case 'or':
      return filter.parts.some((part) => asksFor(part, field));
    case 'not':
      return asksFor(filter.part, field);
    case 'in':
      return filter.field === field;
  }
}

/** A field and the values one of which every series of the filter has, so that filters are found by it; undefined: none. */
export function requirementOf(filter: GroupFilter): Extract<GroupFilter, { is: 'in' }> | undefined {
  if (filter.is === 'in') {
    return filter;
  }
  return filter.is === 'and' ? filter.parts.map(requirementOf).find((each) => each !== undefined) : undefined;
}

export function valueOf(field: string, { meter, channel }: SeriesName, tags: Tags): TagValue | undefined {
  if (field === 'meter') {
    return meter;
  }
  return field === 'channel' ? channel : Object.hasOwn(tags, field) ? tags[field] : undefined;
}

/** A code that was registered as a text, like '0804', is not the number; 804 and '804' are the same. */
function isEqual(wanted: TagValue, value: TagValue): boolean {
  return wanted === value || String(wanted) === String(value);
}

const tokenPattern = /\s*(?:(!=|=|\(|\)|,)|'((?:[^']|'')*)'|([^\s=!(),']+))/y;

interface Token {
  readonly kind: 'sign' | 'text' | 'word' | 'end';
  readonly text: string;
  /** From 1. */
  readonly at: number;
}

/** Recursive descent; `or` binds weakest, then `and`, then `not`. */
class Parser {
  readonly #text: string;
  #position = 0;
  #token: Token;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#token = this.#read();
  }

  whole(): GroupFilter {
    const filter = this.#either();
    if (this.#token.kind !== 'end') {
      throw this.#unexpected('"and", "or" or the end');
    }
    return filter;
  }

  #either(): GroupFilter {
    return this.#joined('or', () => this.#joined('and', () => this.#single()));
  }

  #joined(word: 'and' | 'or', part: () => GroupFilter): GroupFilter {
    const first = part();
    if (!this.#isWord(word)) {
      return first;
    }
    const parts = [first];
    while (this.#isWord(word)) {
      this.#next();
      parts.push(part());
    }
    return { is: word, parts };
  }

  #single(): GroupFilter {
    if (this.#isWord('not')) {
      this.#next();
      return this.#deeper(() => ({ is: 'not', part: this.#single() }));
    }
    if (!this.#isSign('(')) {
      return this.#comparison();
    }
    this.#next();
    const filter = this.#deeper(() => this.#either());
    this.#expect(')');
    return filter;
  }

  #comparison(): GroupFilter {
    const { kind, text } = this.#token;
    if (kind !== 'word' || isKeyword(text) || !/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(text)) {
      throw this.#unexpected('the name of a tag, "meter" or "channel"');
    }
    this.#next();
    if (this.#isSign('=') || this.#isSign('!=')) {
      const isNot = this.#next().text === '!=';
      const equal: GroupFilter = { is: 'in', field: text, values: [this.#value()] };
      return isNot ? { is: 'not', part: equal } : equal;
    }
    if (!this.#isWord('in')) {
      throw this.#unexpected('"=", "!=" or "in"');
    }
    this.#next();
    return { is: 'in', field: text, values: this.#values() };
  }

  #values(): readonly TagValue[] {
    this.#expect('(');
    const values = [this.#value()];
    while (this.#isSign(',')) {
      this.#next();
      values.push(this.#value());
    }
    this.#expect(')');
    return values;
  }

  #value(): TagValue {
    const { kind, text } = this.#token;
    if (kind === 'text') {
      this.#next();
      return text;
    }
    if (kind !== 'word' || isKeyword(text)) {
      throw this.#unexpected("a number, a word or a 'text'");
    }
    this.#next();
    // A word stands for its text: a number written otherwise than numbers are shown is a code.
    return text === 'true' || text === 'false' ? text === 'true' : String(Number(text)) === text ? Number(text) : text;
  }

  #deeper(parse: () => GroupFilter): GroupFilter {
    this.#depth += 1;
    if (this.#depth > filterDepthMax) {
      throw new FilterSyntaxError(`more than ${filterDepthMax} levels deep`, this.#token.at);
    }
    const filter = parse();
    this.#depth -= 1;
    return filter;
  }

  #expect(sign: string): void {
    if (!this.#isSign(sign)) {
      throw this.#unexpected(`"${sign}"`);
    }
    this.#next();
  }

  #isSign(sign: string): boolean {
    return this.#token.kind === 'sign' && this.#token.text === sign;
  }

  #isWord(word: string): boolean {
    return this.#token.kind === 'word' && this.#token.text.toLowerCase() === word;
  }

  #next(): Token {
    const token = this.#token;
    this.#token = this.#read();
    return token;
  }

  #read(): Token {
    const rest = this.#text.slice(this.#position);
    if (rest.trim() === '') {
      return { kind: 'end', text: '', at: this.#text.length + 1 };
    }
    const at = this.#position + (rest.length - rest.trimStart().length) + 1;
    tokenPattern.lastIndex = this.#position;
    const found = tokenPattern.exec(this.#text);
    if (found === null) {
      throw new FilterSyntaxError(`"${this.#text.charAt(at - 1)}" begins nothing that a filter has`, at);
    }
    this.#position = tokenPattern.lastIndex;
    const [, sign, text, word = ''] = found;
    if (sign !== undefined) {
      return { kind: 'sign', text: sign, at };
    }
    return text === undefined
      ? { kind: 'word', text: word, at }
      : { kind: 'text', text: text.replaceAll("''", "'"), at };
  }

  #unexpected(wanted: string): FilterSyntaxError {
    const { kind, text, at } = this.#token;
    const found = kind === 'end' ? 'the filter ends' : `there is "${text.slice(0, 40)}"`;
    return new FilterSyntaxError(`${wanted} is expected, and ${found}`, at);
  }
}

function isKeyword(text: string): boolean {
  return ['and', 'or', 'not', 'in'].includes(text.toLowerCase());
}
