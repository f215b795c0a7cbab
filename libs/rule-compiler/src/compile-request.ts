import type { BundledModule } from './bundle-module.ts';
import type { SourceProblem } from './source-problem.ts';

/** What the child is told on its standard input. */
export interface CompileRequest {
  readonly files: readonly (readonly [path: string, text: string])[];
  readonly entries: readonly string[];
  /** The SDK's one file. */
  readonly sdk: string;
  /** Lines that stand before a bundle in the source that it becomes. */
  readonly linesBefore: number;
}

export interface CompiledModule extends BundledModule {
  readonly file: string;
  /** The newest contract of what it uses of the SDK. */
  readonly contract: number;
}

/** What it answers on its standard output. */
export type CompileAnswer =
  { readonly modules: readonly CompiledModule[] } | { readonly problems: readonly SourceProblem[] };
