import { expect, test } from 'vitest';
import { hostileRules } from './hostile-rule.ts';
import { siege } from './siege.ts';

test('every hostile rule, beside 99 honest tenants, hurts nobody', { timeout: 3_600_000 }, async () => {
  const limits = { batchCpuMsMax: 100 };
  const report = await siege({ rules: await hostileRules(), times: 8, together: 8, honestTenants: 99, limits });
  expect(report.attacks.filter(({ hurt }) => hurt.length > 0)).toEqual([]);
  expect(report.childrenLeft).toBe(0);
});
