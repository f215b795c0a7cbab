/** Thrown when a rule's source can't be a rule. `line` and `column` count from 1. */
export class RuleSourceError extends Error {
  override readonly name = 'RuleSourceError';
  readonly line: number;
  readonly column: number;

  constructor(message: string, position: { readonly line: number; readonly column: number }) {
    super(message);
    this.line = position.line;
    this.column = position.column;
  }
}

const sdkImport = /^[ \t]*import\s+(?:type\s+)?\{[^{}]*\}\s*from\s*(['"])@meterflow\/rule-sdk\1[ \t]*;?/gm;
const otherImport = /^[ \t]*(?:import\b(?!\s*[.(])|export\s[^;'"]*\bfrom\b)/m;
const defaultExport = /^([ \t]*)export\s+default\s+(?=defineRule\s*\()/gm;
const otherExport = /^[ \t]*export\b/m;

// What a bundle begins with, as libs/rules writes it. A copy, so that a child need not load the library for it.
const bundledHead = "import { defineRule } from '@meterflow/rule-sdk';\nexport default defineRule((() => {\n";

/**
 * The body of a function that calls `defineRule`, from an ES module that exports such a call. Import and export are
 * blanked, character by character, so that positions stay what the customer sees; a bundle was checked when it was made.
 */
export function ruleBody(source: string): string {
  if (source.startsWith(bundledHead)) {
    return `\ndefineRule((() => {\n${source.slice(bundledHead.length)}`;
  }
  const withoutSdk = source.replace(sdkImport, blank);
  refuse(withoutSdk, otherImport, "a rule can import nothing but '@meterflow/rule-sdk'");
  const exports = withoutSdk.match(defaultExport)?.length ?? 0;
  if (exports !== 1) {
    throw new RuleSourceError('a rule has exactly one `export default defineRule({ … })`', { line: 1, column: 1 });
  }
  // The semicolon ends a statement before it that has none of its own.
  const body = withoutSdk.replace(
    defaultExport,
    (text, indent: string) => `${indent};${blank(text.slice(indent.length + 1))}`,
  );
  refuse(body, otherExport, 'a rule exports nothing but its `export default defineRule({ … })`');
  return body;
}

function refuse(source: string, pattern: RegExp, message: string): void {
  const index = pattern.exec(source)?.index;
  if (index !== undefined) {
    const lines = source.slice(0, index).split('\n');
    throw new RuleSourceError(message, { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 });
  }
}

function blank(text: string): string {
  return text.replace(/[^\n\r]/g, ' ');
}
