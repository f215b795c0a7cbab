import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { KeyNotRotatableError, Keys, secretsPerKeyMax, UnknownKeyError } from './keys.ts';
import { Tenants, UnknownTenantError } from './tenants.ts';
import { MemoryRegistry } from './testing/index.ts';

async function setUp() {
  const registry = new MemoryRegistry();
  const clock = { nowMs: 1_000 };
  const ports = { registry, nowMs: () => clock.nowMs, randomBytes: (count: number) => randomBytes(count) };
  const tenants = new Tenants(ports);
  await tenants.create('acme');
  await tenants.create('other');
  return { registry, clock, keys: new Keys(ports) };
}

const request = { tenant: 'acme', role: 'provider', label: 'head end' } as const;

describe('an API key', () => {
  test('says whose it is, and nothing else does', async () => {
    const { keys } = await setUp();
    const { text, key } = await keys.create(request);
    expect(text).toMatch(/^mf_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(await keys.authenticate(text)).toEqual({ tenant: 'acme', role: 'provider', keyId: key.keyId });
    const wrong = text.slice(0, -2) + (text.endsWith('AA') ? 'BB' : 'AA');
    const unknown = text.replace(key.keyId, '0'.repeat(16));
    for (const other of ['', 'mf_', wrong, unknown, ` ${text}`, `${text}A`, text.toUpperCase(), 'x'.repeat(100_000)]) {
      expect(await keys.authenticate(other)).toBeUndefined();
    }
  });

  test('is nowhere in the registry, nor in a list', async () => {
    const { keys, registry } = await setUp();
    const { text } = await keys.create(request);
    const secret = text.split('_').slice(2).join('_');
    const stored = JSON.stringify(await registry.list('key', { prefix: '', limit: 10 }));
    expect(stored).toContain('head end');
    expect(stored).not.toContain(secret);
    expect(JSON.stringify(await keys.list('acme'))).not.toContain(secret);
  });

  test('keeps its id when it is rotated, and its old secret until the given instant', async () => {
    const { keys, clock } = await setUp();
    const first = await keys.create(request);
    const second = await keys.rotate('acme', first.key.keyId, 5_000);
    expect(second.key).toMatchObject({ keyId: first.key.keyId, validSecrets: 2 });
    clock.nowMs = 4_999;
    expect(await keys.authenticate(first.text)).toBeDefined();
    clock.nowMs = 5_000;
    expect(await keys.authenticate(first.text)).toBeUndefined();
    expect(await keys.authenticate(second.text)).toEqual(await keys.authenticate(second.text));
    expect(await keys.authenticate(second.text)).toBeDefined();
  });

  test('rotated with no overlap is valid with its new secret alone', async () => {
    const { keys, clock } = await setUp();
    const first = await keys.create(request);
    const second = await keys.rotate('acme', first.key.keyId, clock.nowMs);
    expect(await keys.authenticate(first.text)).toBeUndefined();
    expect(await keys.authenticate(second.text)).toBeDefined();
  });

  test('rotated again never lengthens the life of an older secret', async () => {
    const { keys, clock } = await setUp();
    const first = await keys.create(request);
    await keys.rotate('acme', first.key.keyId, 2_000);
    await keys.rotate('acme', first.key.keyId, 9_000);
    clock.nowMs = 2_000;
    expect(await keys.authenticate(first.text)).toBeUndefined();
  });

  test('has a limit to its overlapping secrets', async () => {
    const { keys } = await setUp();
    const { key } = await keys.create(request);
    for (let count = 1; count < secretsPerKeyMax; count++) {
      await keys.rotate('acme', key.keyId, 9_000);
    }
    await expect(keys.rotate('acme', key.keyId, 9_000)).rejects.toThrow(KeyNotRotatableError);
  });

  test('revoked is valid no more, with any of its secrets', async () => {
    const { keys } = await setUp();
    const first = await keys.create(request);
    const second = await keys.rotate('acme', first.key.keyId, 9_000);
    expect(await keys.revoke('acme', first.key.keyId)).toMatchObject({ revokedAtMs: 1_000, validSecrets: 0 });
    await keys.revoke('acme', first.key.keyId);
    expect(await keys.authenticate(first.text)).toBeUndefined();
    expect(await keys.authenticate(second.text)).toBeUndefined();
    await expect(keys.rotate('acme', first.key.keyId, 9_000)).rejects.toThrow(KeyNotRotatableError);
  });

  test('of another tenant can be neither listed, rotated nor revoked', async () => {
    const { keys } = await setUp();
    const { key, text } = await keys.create(request);
    expect(await keys.list('other')).toEqual([]);
    expect(await keys.list('acme')).toEqual([key]);
    await expect(keys.rotate('other', key.keyId, 9_000)).rejects.toThrow(UnknownKeyError);
    await expect(keys.revoke('other', key.keyId)).rejects.toThrow(UnknownKeyError);
    expect(await keys.authenticate(text)).toBeDefined();
  });

  test('needs a tenant', async () => {
    const { keys } = await setUp();
    await expect(keys.create({ ...request, tenant: 'nobody' })).rejects.toThrow(UnknownTenantError);
  });
});
