import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ledgerLayers, noOutcomes } from '@meterflow/idempotent-writes';
import type { Reject } from '@meterflow/receipts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EmbeddedSources } from './sources.ts';

let directory: string;
let file: string;
let sources: EmbeddedSources;
let ids = 0;

const ledger = {
  summary: () =>
    Promise.resolve(
      ledgerLayers.map((layer) => ({ layer, batchesStored: 1, batchesDead: 0, batchesParked: 0, counts: noOutcomes })),
    ),
};

function open(): EmbeddedSources {
  return new EmbeddedSources(file, { ledger, nowMs: () => 9_000, newId: () => `id${(ids += 1)}` });
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'erase-sources-'));
  file = join(directory, 'sources.sqlite');
  sources = open();
});

afterEach(() => {
  sources.disconnect();
  rmSync(directory, { recursive: true });
});

const reject = (line: number, text: string): Reject => ({
  line,
  column: 'value',
  code: 'no-value',
  reason: 'no value',
  text,
});

async function source(tenant: string, label: string, rejects: readonly Reject[]): Promise<string> {
  const { sourceId } = await sources.accept({
    ...{
      tenant,
      kind: 'file',
      identity: label.replace('smith', 'hash'),
      contentHash: 'x',
      label,
      mapping: 'm@1',
      sourceVersion: 0,
    },
    ...{ activation: 1, nowMs: 1_000, readingsPerBatch: 10, startsFromMs: 0, intervalLengths: '' },
  });
  await sources.reject(sourceId, rejects);
  return sourceId;
}

const close = (id: string): Promise<void> =>
  sources.close(id, { batches: 1, received: 3, accepted: 1, rejected: 2, atMs: 2_000 });

const textsOf = async (tenant: string, id: string): Promise<string[]> =>
  (await sources.rejects(tenant, id, { limit: 10, afterLine: 0 })).map(({ text }) => text);

test('of a tenant blanks labels and lines, also in receipts that are kept; numbers stay', async () => {
  const id = await source('acme', 'smith.csv', [reject(2, 'm1,Null'), reject(3, 'm2,Null')]);
  const other = await source('other', 'jones.csv', [reject(2, 'm1,Null')]);
  await close(id);
  const before = await sources.receipt('acme', id);
  expect(await sources.erase({ tenant: 'acme', upToMs: 5_000 })).toEqual({ labels: 1, rejects: 2 });
  expect(await sources.found({ tenant: 'acme', upToMs: 5_000 })).toEqual({ labels: 0, rejects: 0 });
  const after = await sources.receipt('acme', id);
  expect(after).toEqual({
    ...before,
    label: '',
    rejects: before?.rejects.map((each) => ({ ...each, text: '', reason: 'erased' })),
  });
  expect(await textsOf('other', other)).toEqual(['m1,Null']);
  const bytes = [file, `${file}-wal`].map((name) => readFileSync(name, 'latin1')).join('');
  expect(bytes).not.toContain('m2,Null');
  expect(bytes).not.toContain('smith.csv');
});

test('of a meter blanks the lines that name it or were cut, and no others', async () => {
  const cut = 'x'.repeat(200);
  const id = await source('acme', 'june.csv', [reject(2, 'm1,Null'), reject(3, 'm2,Null'), reject(4, cut)]);
  expect(await sources.erase({ tenant: 'acme', meter: 'm1', upToMs: 5_000 })).toEqual({ labels: 0, rejects: 2 });
  expect(await textsOf('acme', id)).toEqual(['', 'm2,Null', '']);
  expect(await sources.erase({ tenant: 'acme', meter: 'm1', upToMs: 5_000 })).toEqual({ labels: 0, rejects: 0 });
});

test('lines of an erased source that come later are blank, also by another process', async () => {
  const id = await source('acme', 'june.csv', []);
  const another = open();
  await another.erase({ tenant: 'acme', meter: 'm1', upToMs: 5_000 });
  another.disconnect();
  await sources.reject(id, [reject(2, 'm1,Null'), reject(3, 'm2,Null')]);
  expect(await textsOf('acme', id)).toEqual(['', 'm2,Null']);
});

test('remarks of an erased series are blanked like rejected lines, before and after', async () => {
  const id = await source('acme', 'june.csv', []);
  const remark = (line: number, text: string) => ({ line, column: '', code: 'gap', reason: 'one is missing', text });
  await sources.remark(id, [remark(2, 'm1,import'), remark(3, 'm2,import')]);
  await close(id);
  expect((await sources.receipt('acme', id))?.remarks).toHaveLength(2);
  expect(await sources.erase({ tenant: 'acme', meter: 'm1', upToMs: 5_000 })).toEqual({ labels: 0, rejects: 1 });
  await sources.remark(id, [remark(4, 'm1,import')]);
  const texts = (await sources.remarks('acme', id, { limit: 9, afterLine: 0 })).map(({ text }) => text);
  expect(texts).toEqual(['', 'm2,import', '']);
  expect((await sources.receipt('acme', id))?.remarks[0]).toMatchObject({ text: '', reason: 'erased' });
});

test('a file that comes once more stays without its name; what was accepted later keeps it', async () => {
  await source('acme', 'smith.csv', []);
  await sources.erase({ tenant: 'acme', upToMs: 999 });
  expect((await sources.list('acme', { limit: 1 }))[0]?.label).toBe('smith.csv');
  await sources.erase({ tenant: 'acme', upToMs: 1_000 });
  await source('acme', 'smith.csv', []);
  expect((await sources.list('acme', { limit: 1 }))[0]?.label).toBe('');
});
