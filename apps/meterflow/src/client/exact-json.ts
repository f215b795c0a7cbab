/** A number with the digits that it was written with. */
interface ExactNumber {
  readonly rawJSON: string;
}

// In Node since 22, not yet in TypeScript's own library.
const exact = JSON as unknown as {
  rawJSON(text: string): ExactNumber;
  isRawJSON(value: unknown): value is ExactNumber;
  parse(
    text: string,
    reviver: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
};

/** Parses JSON without losing a digit: numbers stay as they were written, and JSON.stringify writes them so again. */
export function parseExact(text: string): unknown {
  return exact.parse(text, (_name, value, { source }) =>
    typeof value === 'number' && source !== undefined ? exact.rawJSON(source) : value,
  );
}

/** The text of a value for a person: an exact number's digits. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  if (exact.isRawJSON(value)) {
    return value.rawJSON;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** As a float, for a chart. */
export function floatValue(value: unknown): number {
  return Number(shownValue(value));
}
