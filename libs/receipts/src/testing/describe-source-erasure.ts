import { ledgerLayers, noOutcomes, type Ledger } from '@meterflow/idempotent-writes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ErasableSources } from '../erased-texts.ts';
import { rejectTextCharsMax, type Reject } from '../receipt.ts';
import type { Sources } from '../sources.ts';

type Subject = Sources & ErasableSources;

export interface ErasableSourcesAdapter {
  /** Another process's view of the same store. May be called many times. */
  open(options: { readonly ledger: Ledger; readonly nowMs: () => number }): Subject;
  /** Closes what was opened and removes the store. */
  close(): Promise<void>;
}

/** Nothing is under way: a receipt is final, and so kept, once its source is closed. */
const ledger: Ledger = {
  summary: () =>
    Promise.resolve(
      ledgerLayers.map((layer) => ({ layer, batchesStored: 1, batchesDead: 0, batchesParked: 0, counts: noOutcomes })),
    ),
};

const nowMs = Date.UTC(2026, 0, 2);
const atMs = nowMs - 10_000;
const upToMs = atMs + 4_000;

const lineOf = (line: number, text: string): Reject => ({
  ...{ line, column: 'value', code: 'no-value' },
  ...{ reason: 'no value', text },
});

/** What every adapter of `Sources` promises that can erase. */
export function describeSourceErasure(name: string, makeAdapter: () => Promise<ErasableSourcesAdapter>): void {
  describe(`${name}: erasure of receipts`, () => {
    let adapter: ErasableSourcesAdapter;
    let sources: Subject;
    const open = (): Subject => adapter.open({ ledger, nowMs: () => nowMs });

    beforeEach(async () => {
      adapter = await makeAdapter();
      sources = open();
    });
    afterEach(() => adapter.close());

    const source = async (tenant: string, label: string, rejects: readonly Reject[]): Promise<string> => {
      const { sourceId } = await sources.accept({
        ...{ tenant, kind: 'file', identity: `of ${label}`, contentHash: 'x', label, mapping: 'm@1', sourceVersion: 0 },
        ...{ activation: 1, nowMs: atMs, readingsPerBatch: 10, startsFromMs: 0, intervalLengths: '' },
      });
      await sources.reject(sourceId, rejects);
      return sourceId;
    };
    const close = (id: string): Promise<void> =>
      sources.close(id, { batches: 1, received: 3, accepted: 1, rejected: 2, atMs: atMs + 1_000 });
    const textsOf = async (tenant: string, id: string): Promise<string[]> =>
      (await sources.rejects(tenant, id, { limit: 10, afterLine: 0 })).map(({ text }) => text);

    test('of a tenant blanks labels and lines, also in receipts that are kept; numbers stay', async () => {
      const id = await source('acme', 'smith.csv', [lineOf(2, 'm1,Null'), lineOf(3, 'm2,Null')]);
      const other = await source('other', 'jones.csv', [lineOf(2, 'm1,Null')]);
      await close(id);
      const before = await sources.receipt('acme', id);
      expect(await sources.erase({ tenant: 'acme', upToMs })).toEqual({ labels: 1, rejects: 2 });
      expect(await sources.found({ tenant: 'acme', upToMs })).toEqual({ labels: 0, rejects: 0 });
      const after = await sources.receipt('acme', id);
      expect(after).toEqual({
        ...before,
        label: '',
        rejects: before?.rejects.map((each) => ({ ...each, text: '', reason: 'erased' })),
      });
      expect(await textsOf('other', other)).toEqual(['m1,Null']);
      expect(await sources.erase({ tenant: 'acme', upToMs })).toEqual({ labels: 0, rejects: 0 });
    });

    test('of a meter blanks the lines that name it or were cut, and no others', async () => {
      const cut = 'x'.repeat(rejectTextCharsMax);
      const id = await source('acme', 'june.csv', [lineOf(2, 'm1,Null'), lineOf(3, 'm2,Null'), lineOf(4, cut)]);
      expect(await sources.found({ tenant: 'acme', meter: 'm1', upToMs })).toEqual({ labels: 0, rejects: 2 });
      expect(await sources.erase({ tenant: 'acme', meter: 'm1', upToMs })).toEqual({ labels: 0, rejects: 2 });
      expect(await textsOf('acme', id)).toEqual(['', 'm2,Null', '']);
      expect(await sources.erase({ tenant: 'acme', meter: 'm1', upToMs })).toEqual({ labels: 0, rejects: 0 });
    });

    test('lines of an erased source that come later are blank, also by another process', async () => {
      const id = await source('acme', 'june.csv', []);
      await open().erase({ tenant: 'acme', meter: 'm1', upToMs });
      await sources.reject(id, [lineOf(2, 'm1,Null'), lineOf(3, 'm2,Null')]);
      expect(await textsOf('acme', id)).toEqual(['', 'm2,Null']);
    });

    test('remarks of an erased series are blanked like rejected lines, before and after', async () => {
      const id = await source('acme', 'june.csv', []);
      await sources.remark(id, [lineOf(2, 'm1,import'), lineOf(3, 'm2,import')]);
      await close(id);
      expect((await sources.receipt('acme', id))?.remarks).toHaveLength(2);
      expect(await sources.erase({ tenant: 'acme', meter: 'm1', upToMs })).toEqual({ labels: 0, rejects: 1 });
      await sources.remark(id, [lineOf(4, 'm1,import')]);
      const texts = (await sources.remarks('acme', id, { limit: 9, afterLine: 0 })).map(({ text }) => text);
      expect(texts).toEqual(['', 'm2,import', '']);
      expect((await sources.receipt('acme', id))?.remarks[0]).toMatchObject({ text: '', reason: 'erased' });
    });

    test('a file that comes once more stays without its name; what was accepted later keeps it', async () => {
      await source('acme', 'smith.csv', []);
      await sources.erase({ tenant: 'acme', upToMs: atMs - 1 });
      expect((await sources.list('acme', { limit: 1 }))[0]?.label).toBe('smith.csv');
      await sources.erase({ tenant: 'acme', upToMs: atMs });
      await source('acme', 'smith.csv', []);
      expect((await sources.list('acme', { limit: 1 }))[0]?.label).toBe('');
    });
  });
}
