// In Node since 22, not yet in TypeScript's own library.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => object };

/**
 * A number that JSON.stringify writes with exactly these digits: "0.68" stays 0.68 and "9007199254740993.25" keeps
 * them all, which a float64 would not. Throws SyntaxError for what is no JSON number.
 */
export function exactNumber(text: string): object {
  if (!/^-?\d/.test(text)) {
    throw new SyntaxError(`"${text.slice(0, 40)}" is not a JSON number`);
  }
  return rawJSON(text);
}
