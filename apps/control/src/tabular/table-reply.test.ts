import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readingColumns } from './columns.ts';
import { tableReply, type TableAnswer } from './table-reply.ts';

const dayMs = 86_400_000;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'table-reply-'));
  vi.stubEnv('TMPDIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const answer = (more: Partial<TableAnswer> = {}): TableAnswer => ({
  ...{ format: 'parquet', columns: readingColumns, timeZone: 'UTC', span: { from: 0, to: 100 * dayMs } },
  read: (fromMs) => Promise.resolve([{ startMs: fromMs, lengthMs: dayMs, json: { meter: 'm', value: 1 } }]),
  page: (rows) => ({ rows }),
  signal: new AbortController().signal,
  ...more,
});

test('a file that nobody takes is removed, also where not a byte of it was taken', async () => {
  const { stream } = await tableReply(answer());
  expect(readdirSync(folder)).toHaveLength(1);
  await (stream as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]().return?.();
  expect(readdirSync(folder)).toEqual([]);
});

test('nothing is read any more for who has gone away, and nothing of it stays', async () => {
  const gone = new AbortController();
  let reads = 0;
  const read: TableAnswer['read'] = () => {
    reads += 1;
    gone.abort();
    return Promise.resolve([]);
  };
  await expect(tableReply(answer({ read, signal: gone.signal }))).rejects.toThrow('gone away');
  expect(reads).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test('a file is bounded, and who asks for more is told what to ask for', async () => {
  const rows = new Array<{ startMs: number; lengthMs: number; json: object }>(2_000_001);
  const read: TableAnswer['read'] = () => Promise.resolve(rows.fill({ startMs: 0, lengthMs: dayMs, json: {} }));
  await expect(tableReply(answer({ read }))).rejects.toThrow('a shorter span');
});
