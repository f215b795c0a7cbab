import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalAggregate, SheetCursor } from '@meterflow/aggregates';
import { canonicalReading, missingCode, ReadingCursor } from '@meterflow/readings';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDeadLetters } from '../bus/dead-letters.ts';
import { dataDirectory } from '../data-directory.ts';
import { openAggregateStore } from '../stores/aggregate-store.ts';
import { openReadingStore } from '../stores/reading-store.ts';
import { fillStores, type StoredReading } from '../testing/filled-stores.ts';
import { exportCanonical } from './export-canonical.ts';

const hourMs = 3_600_000;
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'meterflow-export-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

async function exported(): Promise<Record<string, unknown>[]> {
  let text = '';
  await exportCanonical({ directory: root, write: (lines) => void (text += lines) });
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const reading = (meter: string, hour: number, more: Partial<StoredReading> = {}): StoredReading => ({
  meter,
  startMs: Date.UTC(2013, 0, 31, 20) + hour * hourMs,
  lengthMs: hourMs,
  integer: 1_250,
  decimals: 3,
  ...more,
});

const household = [
  reading('b', 0, { declared: 3 }),
  reading('b', 1, { quality: missingCode }),
  reading('b', 5, { integer: -7, decimals: 6 }),
  reading('a "quoted"', 2, { quality: 1 }),
  reading('b', 6, { lengthMs: 0 }),
  reading('b', 7, { lengthMs: 250, startMs: 1_500 }),
  reading('z', 0, { tenant: 'another', integer: Number.MAX_SAFE_INTEGER, decimals: 0 }),
  reading('z', 1, { tenant: 'another', integer: 1, decimals: 9 }),
];

describe('the canonical export', () => {
  test('is sorted by kind, tenant, meter, channel, layer or resolution, start and end', async () => {
    await fillStores(root, household);
    const lines = (await exported()).map(({ kind, tenant, meter, channel, layer, resolution, start, end }) =>
      [kind, tenant, meter, channel, layer ?? resolution, start, end].join('\t'),
    );
    expect(lines).toEqual([...lines].sort());
    expect(new Set(lines).size).toBe(lines.length);
  });

  test('says of each reading and aggregate what its canonical row says, and nothing else', async () => {
    await fillStores(root, household);
    const expected = [...aggregateRows(), ...readingRows()].map((row) => JSON.stringify(row)).sort();
    expect((await exported()).map((row) => JSON.stringify(row)).sort()).toEqual(expected);
  });

  test('is the same whatever came first', async () => {
    await fillStores(root, household);
    const before = await exported();
    rmSync(root, { recursive: true });
    await fillStores(root, [...household].reverse());
    expect(await exported()).toEqual(before);
  });

  test('names dead letters by stage, key and reason code', async () => {
    const letters = openDeadLetters({ directory: dataDirectory(root) });
    const letter = {
      state: 'dead',
      subscription: 's',
      tenant: 'default',
      reason: 'differs from try to try',
      payload: new Uint8Array(1),
      attributes: {},
      causes: [],
      layers: [],
    } as const;
    await letters.put([
      { ...letter, id: 'b/2', stage: 'b', key: '2', reasonCode: 'poison', atMs: 1 },
      { ...letter, id: 'a/9', stage: 'a', key: '9', reasonCode: 'message-format', atMs: 2 },
    ]);
    letters.close();
    expect(await exported()).toEqual([
      { kind: 'dead-letter', stage: 'a', key: '9', reasonCode: 'message-format' },
      { kind: 'dead-letter', stage: 'b', key: '2', reasonCode: 'poison' },
    ]);
  });

  test('of an empty directory is empty', async () => {
    expect(await exported()).toEqual([]);
  });
});

function readingRows(): object[] {
  return (['raw', 'validated'] as const).flatMap((layer) => {
    const store = openReadingStore({ file: dataDirectory(root).store(layer), layer });
    const rows: object[] = [];
    for (const { series, segment } of store.segments()) {
      const cursor = new ReadingCursor(segment.columns);
      while (cursor.next()) {
        rows.push(canonicalReading(series.tenant, { ...series, layer }, cursor));
      }
    }
    store.close();
    return rows;
  });
}

function aggregateRows(): object[] {
  const store = openAggregateStore({ file: dataDirectory(root).store('aggregates') });
  const rows: object[] = [];
  for (const batch of [...store.batches('day'), ...store.batches('month')]) {
    const cursor = new SheetCursor(batch);
    while (cursor.next()) {
      for (let row = cursor.rowsFrom; row < cursor.rowsTo; row++) {
        rows.push(canonicalAggregate(cursor, row));
      }
    }
  }
  store.close();
  return rows;
}
