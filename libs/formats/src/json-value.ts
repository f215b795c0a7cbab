import { jsonDepthMax } from './limits.ts';

/** Why a text is not taken as JSON. */
export class InvalidJsonError extends Error {
  override readonly name = 'InvalidJsonError';
  readonly code: 'invalid-json' | 'too-deep';

  constructor(code: 'invalid-json' | 'too-deep', message: string) {
    super(message);
    this.code = code;
  }
}

// Made once: a source may be all bad lines, and to make an error costs more than to read a good one.
export const notJson = new InvalidJsonError('invalid-json', 'is not JSON');
export const tooDeep = new InvalidJsonError('too-deep', `is nested deeper than ${jsonDepthMax} brackets`);

/** Bare numbers of so many digits may lose some of them as float64. */
const longNumber = /[:[,]\s*-?[\d.]{16}/;

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Numbers as the texts that they were written as. */
const numbersAsTexts: Reviver = (_key, value, { source }) => (typeof value === 'number' ? source : value);

/**
 * Parses JSON without losing digits: where a number is long, all numbers are given as texts. Throws
 * {@link InvalidJsonError} for what is no JSON, and, before parsing, for more than {@link jsonDepthMax} brackets in
 * each other.
 */
export function parseJson(text: string): unknown {
  if (isDeeper(text, jsonDepthMax)) {
    throw tooDeep;
  }
  return valueOf(text);
}

/** The same for a text that is known not to be too deep. */
export function valueOf(text: string): unknown {
  const { stackTraceLimit } = Error;
  // The engine's error is not looked at: without a stack it costs a quarter.
  Error.stackTraceLimit = 0;
  try {
    const reviver = numbersAsTexts as Parameters<typeof JSON.parse>[1];
    return longNumber.test(text) ? JSON.parse(text, reviver) : JSON.parse(text);
  } catch {
    throw notJson;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export const quote = 34;
const backslash = 92;

function isDeeper(text: string, depthMax: number): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      index = closingQuote(text, index);
    } else {
      depth += bracketStep(code);
      if (depth > depthMax) {
        return true;
      }
    }
  }
  return false;
}

/** 1 for [ and {, -1 for ] and }, which differ in one bit. */
export function bracketStep(code: number): number {
  const square = code & ~0x20;
  return square === 91 ? 1 : square === 93 ? -1 : 0;
}

/** The place of the quote that ends the text begun at `opening`; the end of all where there is none. */
export function closingQuote(text: string, opening: number): number {
  for (let index = opening + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      return index;
    }
    index += code === backslash ? 1 : 0;
  }
  return text.length;
}
