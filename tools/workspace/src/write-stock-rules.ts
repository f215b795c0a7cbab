// Compiles the stock rules, and writes their module and their page: `npm run stock-rules`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from './repository.ts';
import { compileStockRules, generatedPaths, generatedTexts } from './stock-rules.ts';

const texts = generatedTexts(await compileStockRules());
for (const [what, path] of Object.entries(generatedPaths)) {
  mkdirSync(dirname(join(repositoryRoot, path)), { recursive: true });
  writeFileSync(join(repositoryRoot, path), texts[what as keyof typeof texts]);
}
