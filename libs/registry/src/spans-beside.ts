/** Instants [fromMs, toMs). */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What is left of a span beside another. */
export function spansBeside({ fromMs, toMs }: Span, other: Span): Span[] {
  return [
    { fromMs, toMs: Math.min(toMs, other.fromMs) },
    { fromMs: Math.max(fromMs, other.toMs), toMs },
  ].filter((each) => each.fromMs < each.toMs);
}
