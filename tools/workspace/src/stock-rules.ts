import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  entriesOf,
  isSource,
  isTestFile,
  problemText,
  RuleCompiler,
  type CompiledRule,
  type CompiledTests,
} from '@meterflow/rule-compiler';
import { readDeclaration } from '@meterflow/sandbox';
import { repositoryRoot } from './repository.ts';
import { commentOf, firstSentence, stockRulesPage } from './stock-rules-page.ts';

/** What is made of the stock rules, by path in the repository. */
export const generatedPaths = { module: 'libs/rules/src/gen/stock-rules.ts', page: 'docs/stock-rules.md' } as const;

const folder = join(repositoryRoot, 'libs/rules/stock');
/** In the folder it only names this one; rules carry the text itself, as a customer's would. */
const carried = { path: 'lib/register-difference.ts', file: 'libs/readings/src/register-difference.ts' };

export interface StockRules {
  readonly rules: readonly CompiledRule[];
  readonly tests: readonly CompiledTests[];
}

/** Compiles `libs/rules/stock` as a customer's folder is compiled. Throws all that is wrong with it. */
export async function compileStockRules(): Promise<StockRules> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter(isSource);
  const files = new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
  if (files.has(carried.path)) {
    files.set(carried.path, readFileSync(join(repositoryRoot, carried.file), 'utf8'));
  }
  const compiled = await new RuleCompiler({ declare: readDeclaration }).compile({ files, entries: entriesOf(paths) });
  if ('problems' in compiled) {
    throw new Error(compiled.problems.map(problemText).join('\n'));
  }
  return compiled;
}

/** The texts of {@link generatedPaths}. */
export function generatedTexts({ rules, tests }: StockRules): Record<keyof typeof generatedPaths, string> {
  const versions = rules.map(({ version, declaration, file, files }) => ({
    version,
    declaration,
    does: firstSentence(commentOf(files.get(file) ?? '').at(0) ?? ''),
    files: Object.fromEntries([...files].filter(([path]) => !isTestFile(path))),
  }));
  const module = `// Made of libs/rules/stock by \`npm run stock-rules\`: change it there.
import type { StockRule } from '../stock-rule.ts';

export const compiledStockRules: readonly StockRule[] = ${JSON.stringify(versions, undefined, 2)};
`;
  return { module, page: stockRulesPage(rules, tests) };
}
