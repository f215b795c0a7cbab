const namedStampFormats = ['iso', 'lenient', 'epoch-seconds', 'epoch-milliseconds'] as const;
export type NamedStampFormat = (typeof namedStampFormats)[number];

const tokens = ['YYYY', 'MM', 'DD', 'HH', 'mm', 'ss', 'SSS'] as const;
type Token = (typeof tokens)[number];

export interface StampPattern {
  readonly regExp: RegExp;
  /** What each group of the expression holds. */
  readonly groups: readonly Token[];
}

export function isNamedStampFormat(format: string): format is NamedStampFormat {
  return (namedStampFormats as readonly string[]).includes(format);
}

export function isStampFormat(format: string): boolean {
  return isNamedStampFormat(format) || stampPattern(format) !== undefined;
}

/** The pattern as an expression; undefined where a token is unknown or repeated, or year, month and day are not all there. */
export function stampPattern(format: string): StampPattern | undefined {
  const groups: Token[] = [];
  let source = '';
  for (const part of format.match(/[A-Za-z]+|[^A-Za-z]+/g) ?? []) {
    const names = /^[A-Za-z]/.test(part) ? tokensOf(part) : [];
    if (names === undefined) {
      return undefined;
    }
    source +=
      names.length === 0 ? escaped(part) : names.map((name) => (name === 'T' ? 'T' : `(\\d{${name.length}})`)).join('');
    groups.push(...names.filter((name) => name !== 'T'));
  }
  const complete = (['YYYY', 'MM', 'DD'] as const).every((token) => groups.includes(token));
  return complete && new Set(groups).size === groups.length ? { regExp: new RegExp(`^${source}$`), groups } : undefined;
}

/** Splits letters such as YYYYMMDDTHHmm into tokens; a T between them stands for itself. */
function tokensOf(letters: string): (Token | 'T')[] | undefined {
  const found: (Token | 'T')[] = [];
  for (let rest = letters; rest !== '';) {
    const token = tokens.find((candidate) => rest.startsWith(candidate)) ?? (rest.startsWith('T') ? 'T' : undefined);
    if (token === undefined) {
      return undefined;
    }
    found.push(token);
    rest = rest.slice(token.length);
  }
  return found;
}

function escaped(literal: string): string {
  return literal.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
