/** The longest that a module's exports may be as JSON. */
export const declarationCharsMax = 4 * 1024 * 1024;

/** What the child tells: the exports as JSON, or what went wrong; `line` of the expression, 0 where it is not known. */
export type DeclarationAnswer = { readonly json: string } | { readonly problem: string; readonly line: number };
