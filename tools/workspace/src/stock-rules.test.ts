import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runRuleTests } from '@meterflow/rules';
import { IsolatedSandbox } from '@meterflow/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from './repository.ts';
import { compileStockRules, generatedPaths, generatedTexts, type StockRules } from './stock-rules.ts';

let stock: StockRules;
let sandbox: IsolatedSandbox;
beforeAll(async () => {
  stock = await compileStockRules();
  sandbox = new IsolatedSandbox();
}, 180_000);
afterAll(() => sandbox.close());

test.each(Object.entries(generatedPaths))('the %s of the stock rules is current', (what, path) => {
  const made = generatedTexts(stock)[what as keyof typeof generatedPaths];
  const kept = readFileSync(join(repositoryRoot, path), 'utf8');
  expect(kept === made, `run \`npm run stock-rules\`: ${path} is not what libs/rules/stock gives`).toBe(true);
});

test('every stock rule has cases, and holds them in the sandbox', { timeout: 120_000 }, async () => {
  const failed: string[] = [];
  for (const rule of stock.rules) {
    const cases = stock.tests.filter((each) => each.rule === rule.version.name).flatMap((each) => each.cases);
    if (cases.length === 0) {
      failed.push(`${rule.version.name} has no cases`);
    }
    const outcomes = await runRuleTests(sandbox, { rule: rule.version, declaration: rule.declaration }, cases);
    failed.push(
      ...outcomes.flatMap(({ name, problem }) =>
        problem === undefined ? [] : [`${rule.version.name}: ${name}: ${problem}`],
      ),
    );
  }
  expect(failed).toEqual([]);
});
