import { describe, expect, test } from 'vitest';
import { queryableWithinMsDefault, quotaDefaults, TenantExistsError, Tenants, UnknownTenantError } from './tenants.ts';
import { MemoryRegistry } from './testing/index.ts';

function setUp() {
  const registry = new MemoryRegistry();
  return { registry, tenants: new Tenants({ registry, nowMs: () => 1_000 }) };
}

describe('tenants', () => {
  test('are created once, listed by name and found', async () => {
    const { tenants } = setUp();
    await tenants.create('zeta');
    const acme = await tenants.create('acme', { requestsPerMinute: 5 });
    expect(acme).toEqual({
      name: 'acme',
      createdAtMs: 1_000,
      quotas: { ...quotaDefaults, requestsPerMinute: 5 },
      queryableWithinMs: queryableWithinMsDefault,
      unknownSeries: 'create',
    });
    await expect(tenants.create('acme')).rejects.toThrow(TenantExistsError);
    expect((await tenants.list()).map(({ name }) => name)).toEqual(['acme', 'zeta']);
    expect(await tenants.get('acme')).toEqual(acme);
    expect(await tenants.get('nobody')).toBeUndefined();
  });

  test.each(['', 'Acme', 'a/b', '-a', 'a'.repeat(64)])('are never called %j', async (name) => {
    const { tenants, registry } = setUp();
    await expect(tenants.create(name)).rejects.toThrow();
    expect(await registry.list('tenant', { prefix: '', limit: 10 })).toEqual([]);
  });

  test('are made when they are first needed, by however many at once', async () => {
    const { tenants } = setUp();
    const made = await Promise.all([tenants.ensure('default'), tenants.ensure('default')]);
    expect(made.map(({ name }) => name)).toEqual(['default', 'default']);
    expect(await tenants.list()).toHaveLength(1);
  });

  test('keep the quotas that are not set, also when two are set at once', async () => {
    const { tenants } = setUp();
    await tenants.create('acme');
    await Promise.all([
      tenants.setQuotas('acme', { bytesPerRequest: 10 }),
      tenants.setQuotas('acme', { readingsPerDay: 20 }),
    ]);
    expect((await tenants.require('acme')).quotas).toEqual({
      ...quotaDefaults,
      bytesPerRequest: 10,
      readingsPerDay: 20,
    });
    expect(await tenants.change('acme', { queryableWithinMs: 5 })).toMatchObject({
      quotas: { bytesPerRequest: 10 },
      queryableWithinMs: 5,
    });
    expect(await tenants.change('acme', { quotas: { bytesPerRequest: 11 } })).toMatchObject({
      quotas: { readingsPerDay: 20 },
      queryableWithinMs: 5,
    });
    expect(await tenants.change('acme', { unknownSeries: 'refuse' })).toMatchObject({
      quotas: { readingsPerDay: 20 },
      unknownSeries: 'refuse',
    });
    await expect(tenants.change('acme', { queryableWithinMs: 0 })).rejects.toThrow();
    await expect(tenants.setQuotas('acme', { bytesPerRequest: -1 })).rejects.toThrow();
    await expect(tenants.setQuotas('nobody', {})).rejects.toThrow(UnknownTenantError);
  });
});
