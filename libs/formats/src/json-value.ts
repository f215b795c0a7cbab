import { jsonDepthMax } from './limits.ts';

/** Why a text is not taken as JSON. */
export class InvalidJsonError extends Error {
  override readonly name = 'InvalidJsonError';
  readonly code: 'invalid-json' | 'too-deep';

  constructor(code: 'invalid-json' | 'too-deep', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

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
    throw new InvalidJsonError('too-deep', `is nested deeper than ${jsonDepthMax} brackets`);
  }
  try {
    const reviver = numbersAsTexts as Parameters<typeof JSON.parse>[1];
    return longNumber.test(text) ? JSON.parse(text, reviver) : JSON.parse(text);
  } catch (error) {
    throw new InvalidJsonError('invalid-json', 'is not JSON', { cause: error });
  }
}

const quote = 34;
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
function bracketStep(code: number): number {
  const square = code & ~0x20;
  return square === 91 ? 1 : square === 93 ? -1 : 0;
}

/** The place of the quote that ends the text begun at `opening`; the end of all where there is none. */
function closingQuote(text: string, opening: number): number {
  for (let index = opening + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      return index;
    }
    index += code === backslash ? 1 : 0;
  }
  return text.length;
}
