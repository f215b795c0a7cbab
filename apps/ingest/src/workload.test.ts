import { expect, test } from 'vitest';
import { Workload } from './workload.ts';

const overloaded = { code: 'overloaded' };

test('one tenant does not take the room of the others, nor they more than there is', async () => {
  const workload = new Workload({ requestsMax: 3, requestsPerTenantMax: 2, inMemoryBytesMax: 1 });
  const gate = Promise.withResolvers<string>();
  const begin = (tenant: string): Promise<string> => workload.run(tenant, async () => gate.promise);
  const running = [begin('acme'), begin('acme')];
  await expect(begin('acme')).rejects.toMatchObject({
    ...overloaded,
    message: '2 requests of this tenant are in work',
  });
  running.push(begin('other'));
  await expect(begin('third')).rejects.toMatchObject({ ...overloaded, message: '3 requests are in work' });
  gate.resolve('done');
  expect(await Promise.all(running)).toEqual(['done', 'done', 'done']);
  expect(await Promise.all([begin('acme'), begin('acme'), begin('third')])).toHaveLength(3);
});

test('work that fails makes room too', async () => {
  const workload = new Workload({ requestsMax: 3, requestsPerTenantMax: 1, inMemoryBytesMax: 1 });
  await expect(workload.run('acme', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await workload.run('acme', () => Promise.resolve('done'))).toBe('done');
});
