import { SqlError, type SqlEngine } from '@meterflow/embedded';
import { expect, test } from 'vitest';
import { sqlRoute } from './sql.ts';

test.each([
  ['sql-busy', 'overloaded', { 'retry-after': '2' }],
  ['sql-invalid', 'unprocessable-content', {}],
  ['sql-timeout', 'unprocessable-content', {}],
] as const)('%s is answered as %s', async (code, problem, headers) => {
  const engine = { query: () => Promise.reject(new SqlError(code, 'says why')) } as unknown as SqlEngine;
  const route = sqlRoute({ sql: engine }, 'own-tenant');
  const request = { principal: { tenant: 'acme' }, body: { sql: 'select 1', rowsMax: 1 } };
  await expect(route.handle(request as unknown as Parameters<typeof route.handle>[0])).rejects.toMatchObject({
    code: problem,
    headers,
    message: 'says why',
  });
});
