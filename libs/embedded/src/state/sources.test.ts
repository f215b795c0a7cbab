import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Reject } from '@meterflow/receipts';
import { describeSources, describeUploads, ScriptedLedger } from '@meterflow/receipts/testing';
import { expect, test } from 'vitest';
import { EmbeddedSources } from './sources.ts';
import { EmbeddedUploads } from './uploads.ts';

const rejectAt = (line: number): Reject => ({ line, column: 'c', code: 'no-value', reason: '', text: `${line}` });
const newId = (): string => randomBytes(10).toString('hex');

describeSources('the embedded store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sources-'));
  const opened: EmbeddedSources[] = [];
  return {
    open(options) {
      const sources = new EmbeddedSources(join(directory, 'state', 'sources.sqlite'), { ...options, newId });
      opened.push(sources);
      return sources;
    },
    async close() {
      opened.forEach((sources) => {
        sources.disconnect();
      });
      await rm(directory, { recursive: true });
    },
  };
});

describeUploads('the embedded store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'uploads-'));
  const uploads = join(directory, 'uploads');
  return {
    open: () => new EmbeddedUploads(uploads, { newId }),
    count: async () => (await readdir(uploads).catch(() => [])).length,
    close: () => rm(directory, { recursive: true }),
  };
});

test('sources that an earlier build wrote, without the later columns, are gone on with', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sources-'));
  const file = join(directory, 'sources.sqlite');
  const open = (): EmbeddedSources =>
    new EmbeddedSources(file, { ledger: new ScriptedLedger(), nowMs: () => 1_000, newId });
  const request = {
    ...{ tenant: 'acme', kind: 'file' as const, identity: 'i', contentHash: 'h', label: '', mapping: 'm@1' },
    ...{ sourceVersion: 0, activation: 1, nowMs: 5, readingsPerBatch: 9, startsFromMs: 7, intervalLengths: 'ab' },
  };
  const first = open();
  const { sourceId } = await first.accept(request);
  first.disconnect();
  const earlier = new DatabaseSync(file);
  earlier.exec('alter table acceptances drop column starts_from_ms');
  earlier.exec('alter table acceptances drop column interval_lengths');
  earlier.exec('alter table deliveries drop column refuses_unknown');
  const lines = Array.from({ length: 1_500 }, (_, index) => rejectAt(index * 3));
  earlier.exec('begin');
  for (const line of lines) {
    earlier.prepare('insert into rejects values (1, ?, ?)').run(line.line, JSON.stringify(line));
  }
  earlier.prepare('insert into remarks values (1, ?, ?)').run(4, JSON.stringify(rejectAt(4)));
  earlier.exec('commit');
  earlier.close();
  const [sources, beside] = [open(), open()];
  expect(await sources.accept(request)).toMatchObject({
    sourceId,
    resumed: true,
    acceptance: { startsFromMs: 0, intervalLengths: '' },
  });
  const { acceptance, refusesUnknown } = await beside.accept({ ...request, identity: 'j', refusesUnknown: true });
  expect(acceptance).toMatchObject({ startsFromMs: 7, intervalLengths: 'ab' });
  expect(refusesUnknown).toBe(true);
  expect(await sources.rejects('acme', sourceId, { limit: 2_000, afterLine: -1 })).toEqual(lines);
  expect(await sources.remarks('acme', sourceId, { limit: 9, afterLine: 0 })).toEqual([rejectAt(4)]);
  sources.disconnect();
  beside.disconnect();
  await rm(directory, { recursive: true });
});
