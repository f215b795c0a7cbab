import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RevisionConflictError, type Registry } from '../registry.ts';

export interface RegistryAdapter {
  /** Another process's view of the same registry. */
  open(): Registry;
  close(): Promise<void>;
}

/** What every adapter of `Registry` holds. Each test gets a registry of its own. */
export function describeRegistry(name: string, makeAdapter: () => Promise<RegistryAdapter>): void {
  describe(`${name} as Registry`, () => {
    let adapter: RegistryAdapter;
    let registry: Registry;
    beforeEach(async () => {
      adapter = await makeAdapter();
      registry = adapter.open();
    });
    afterEach(() => adapter.close());

    test('gives a value back to every process as it was put', async () => {
      const value = { text: 'größe ✓', list: [1, 2.5, null, true], nested: { empty: {} } };
      expect(await registry.put('tenant', 'acme', { value, expectedRevision: 0 })).toBe(1);
      expect(await adapter.open().get('tenant', 'acme')).toEqual({ kind: 'tenant', name: 'acme', revision: 1, value });
    });

    test('has nothing where nothing was put, nor under another kind', async () => {
      await registry.put('tenant', 'acme', { value: 1, expectedRevision: 0 });
      expect(await registry.get('tenant', 'other')).toBeUndefined();
      expect(await registry.get('key', 'acme')).toBeUndefined();
    });

    test('replaces only the revision that is expected', async () => {
      await registry.put('flow', 'acme/main', { value: 'a', expectedRevision: 0 });
      const put = (value: string, expectedRevision: number) =>
        registry.put('flow', 'acme/main', { value, expectedRevision });
      await expect(put('b', 0)).rejects.toThrow(RevisionConflictError);
      await expect(put('b', 2)).rejects.toThrow(RevisionConflictError);
      expect(await put('b', 1)).toBe(2);
      await expect(put('c', 1)).rejects.toThrow(RevisionConflictError);
      expect(await registry.get('flow', 'acme/main')).toMatchObject({ revision: 2, value: 'b' });
      await expect(registry.put('flow', 'acme/none', { value: 'a', expectedRevision: 1 })).rejects.toThrow(
        RevisionConflictError,
      );
    });

    test('lets exactly one of those win who change the same revision at once', async () => {
      await registry.put('setting', 'acme/counter', { value: 0, expectedRevision: 0 });
      const attempts = Array.from({ length: 8 }, (_, index) =>
        adapter
          .open()
          .put('setting', 'acme/counter', { value: index, expectedRevision: 1 })
          .then(
            () => index,
            () => undefined,
          ),
      );
      const winners = (await Promise.all(attempts)).filter((index) => index !== undefined);
      expect(winners).toHaveLength(1);
      expect((await registry.get('setting', 'acme/counter'))?.value).toBe(winners[0]);
    });

    test('removes only the revision that is expected, and never gives a revision twice', async () => {
      await registry.put('rule', 'acme/a', { value: 'first', expectedRevision: 0 });
      await expect(registry.remove('rule', 'acme/a', 2)).rejects.toThrow(RevisionConflictError);
      await registry.remove('rule', 'acme/a', 1);
      expect(await registry.get('rule', 'acme/a')).toBeUndefined();
      expect(await registry.list('rule', { prefix: '', limit: 10 })).toEqual([]);
      await expect(registry.remove('rule', 'acme/a', 1)).rejects.toThrow(RevisionConflictError);
      // Who still holds the removed value's revision must not overwrite its successor.
      const revision = await registry.put('rule', 'acme/a', { value: 'second', expectedRevision: 0 });
      expect(revision).toBeGreaterThan(1);
      await expect(registry.put('rule', 'acme/a', { value: 'third', expectedRevision: 1 })).rejects.toThrow(
        RevisionConflictError,
      );
    });

    test('puts many, each by itself', async () => {
      await registry.put('series', 'a/1', { value: 'old', expectedRevision: 0 });
      const changes = ['a/1', 'a/2', 'a/3'].map((name) => ({ name, value: name, expectedRevision: 0 }));
      expect(await registry.putAll('series', changes)).toEqual([undefined, 1, 1]);
      const all = await adapter.open().list('series', { prefix: 'a/', limit: 9 });
      expect(all.map(({ value }) => value)).toEqual(['old', 'a/2', 'a/3']);
    });

    test('lists a prefix in the order of the names, page by page', async () => {
      for (const name of ['b/2', 'a/1', 'b/1', 'b/é', 'bb/1', 'b/%', 'b/10']) {
        await registry.put('series', name, { value: name, expectedRevision: 0 });
      }
      const names = async (page: { prefix: string; limit: number; after?: string }) =>
        (await registry.list('series', page)).map((entry) => entry.name);
      expect(await names({ prefix: 'b/', limit: 100 })).toEqual(['b/%', 'b/1', 'b/10', 'b/2', 'b/é']);
      expect(await names({ prefix: 'b/', limit: 2 })).toEqual(['b/%', 'b/1']);
      expect(await names({ prefix: 'b/', limit: 2, after: 'b/1' })).toEqual(['b/10', 'b/2']);
      expect(await names({ prefix: 'b/', limit: 100, after: 'a/1' })).toHaveLength(5);
      expect(await names({ prefix: '', limit: 100 })).toHaveLength(7);
      expect(await names({ prefix: 'b/%', limit: 100 })).toEqual(['b/%']);
    });
  });
}
