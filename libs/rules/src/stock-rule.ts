import type { RuleVersion } from './flow.ts';
import type { RuleDeclaration } from './rule-declaration.ts';

/** A rule that comes with this build: written in `libs/rules/stock` as a customer's, and compiled as one. */
export interface StockRule {
  readonly version: RuleVersion;
  readonly declaration: RuleDeclaration;
  /** In one sentence. */
  readonly does: string;
  /** Sources by path. */
  readonly files: Readonly<Record<string, string>>;
}
