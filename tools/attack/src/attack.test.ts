import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostileRule, hostileRules } from './hostile-rule.ts';
import { held, siege, type SiegeReport } from './siege.ts';

/** One attack of each sort: what all of them do is the long form. */
const few =
  /^(?:loop-at-nth-reading|memory-bigint-power|recursion-caught|pollute-json|escape-wrapper|result-label-flood)$/;

function failed({ attacks }: SiegeReport): readonly unknown[] {
  return attacks.filter(({ hurt }) => hurt.length > 0);
}

test('hostile rules hurt none of the honest tenants beside them', { timeout: 240_000 }, async () => {
  const rules = (await hostileRules()).filter(({ name }) => few.test(name));
  expect(rules).toHaveLength(6);
  const report = await siege({ rules, times: 3, together: 2, honestTenants: 12, limits: { batchCpuMsMax: 100 } });
  expect(failed(report)).toEqual([]);
  expect(held(report)).toBe(true);
  const fates = new Map(report.attacks.map(({ name, fates: [...all] }) => [name, all]));
  expect(fates.get('loop-at-nth-reading')).toEqual([['rule-timed-out', 3]]);
  expect(fates.get('escape-wrapper')).toEqual([['rule-invalid', 3]]);
});

test('every rule of the suite says what it tries, and has a name of its own', async () => {
  const rules = await hostileRules();
  expect(rules.length).toBeGreaterThanOrEqual(30);
  expect(rules.filter(({ tries }) => tries === '')).toEqual([]);
});

test('a rule in TypeScript is taken without its types, one that is neither as it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meterflow-attack-'));
  await writeFile(join(folder, 'typed.ts'), 'const n: number = 1;\n');
  await writeFile(join(folder, 'broken.ts'), '}} no\n');
  expect((await hostileRule(join(folder, 'typed.ts'))).source).toBe('const n         = 1;\n');
  expect((await hostileRule(join(folder, 'broken.ts'))).source).toBe('}} no\n');
  await rm(folder, { recursive: true });
});
