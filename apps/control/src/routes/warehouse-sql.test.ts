import { expect, test } from 'vitest';
import { warehouseSqlRoute } from './warehouse-sql.ts';

test.each([
  [{ projectId: 'p', dataset: 'meterflow' }, /`p\.meterflow`.*bq query/],
  [undefined, /no warehouse: declare `warehouse`/],
] as const)('SQL on Google, with the warehouse %o, is refused and says where it is to be had', async (place, says) => {
  const route = warehouseSqlRoute(place);
  expect([route.method, route.path]).toEqual(['POST', '/v1/sql']);
  const request = { principal: { tenant: 'acme' }, body: { sql: 'select 1' } };
  await expect(route.handle(request as unknown as Parameters<typeof route.handle>[0])).rejects.toMatchObject({
    status: 422,
    message: expect.stringMatching(says) as string,
  });
});
