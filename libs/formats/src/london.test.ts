import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExactSum, formatDecimal, ReadingCursor, type ReadingBatch } from '@meterflow/readings';
import type { Reject, Remark } from '@meterflow/receipts';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { atOneGo, builtInMappings, createReader, mappingForHeader } from './index.ts';

const shared = process.env['METERFLOW_SHARED'] ?? '';

function readSource(name: string) {
  const bytes = gunzipSync(readFileSync(join(shared, 'data/low-carbon-london', name)));
  const batches: ReadingBatch[] = [];
  const rejects: Reject[] = [];
  const remarks: Remark[] = [];
  const reader = createReader('csv', {
    mapping: mappingForHeader(bytes.subarray(0, 65_536), builtInMappings)!,
    header: {
      tenant: 'default',
      layer: 'raw',
      sourceId: 'london-1',
      acceptedAtMs: Date.UTC(2014, 2, 1),
      activation: 1,
    },
    onBatch: (batch) => batches.push(batch),
    onRejects: (some) => rejects.push(...some),
    onRemarks: (some) => remarks.push(...some),
  });
  atOneGo(reader.push(bytes));
  atOneGo(reader.end());
  return { batches, rejects, remarks, counts: reader.counts, remarked: reader.remarked };
}

describe.skipIf(!existsSync(shared))('the London files [needs shared]', () => {
  test('the one as published loses its Null row and nothing else', () => {
    const { batches, rejects, counts } = readSource('MAC000002_raw.csv.gz');
    expect(counts).toEqual({ received: 24_158, accepted: 24_157, rejected: 1 });
    expect(rejects).toEqual([
      {
        line: 3_242,
        column: 'KWH/hh (per half hour)',
        code: 'no-value',
        reason: '"Null" means no value',
        text: 'MAC000002,2012-12-19 12:37:27.0000000,Null',
      },
    ]);
    const starts = new Map<number, number>();
    for (const batch of batches) {
      expect(batch.series).toEqual([{ meter: 'MAC000002', channel: 'import' }]);
      for (const cursor = new ReadingCursor(batch.columns); cursor.next();) {
        expect(cursor.lengthMs).toBe(1_800_000);
        starts.set(cursor.startMs, (starts.get(cursor.startMs) ?? 0) + 1);
      }
    }
    const doubled = [...starts].filter(([, count]) => count > 1).map(([start]) => new Date(start).toISOString());
    expect(doubled).toHaveLength(17);
    expect(doubled.every((start) => start.endsWith('T00:00:00.000Z'))).toBe(true);
    const first = Math.min(...starts.keys());
    const last = Math.max(...starts.keys());
    expect((last - first) / 1_800_000 + 1 - starts.size).toBe(52);
    expect(new Date(first).toISOString()).toBe('2012-10-12T00:30:00.000Z');
  });

  test('the one as published has its repeats and gaps told by line', () => {
    const { remarks, remarked } = readSource('MAC000002_raw.csv.gz');
    expect(remarked).toEqual({ repeated: 17, gaps: 5, missing: 52, assumed: 0 });
    const byLine = remarks.sort((a, b) => a.line - b.line);
    const gaps = byLine.filter(({ code }) => code === 'gap').map(({ line, reason }) => `${line}: ${reason}`);
    expect(gaps).toEqual([
      '23: 1 reading is missing before it, from 2012-10-12T11:00:00Z to 2012-10-12T11:30:00Z',
      '1048: 1 reading is missing before it, from 2012-11-02T19:30:00Z to 2012-11-02T20:00:00Z',
      '1297: 48 readings are missing before it, from 2012-11-08T00:30:00Z to 2012-11-09T00:30:00Z',
      '2862: 1 reading is missing before it, from 2012-12-11T14:30:00Z to 2012-12-11T15:00:00Z',
      '22088: 1 reading is missing before it, from 2014-01-15T21:00:00Z to 2014-01-15T21:30:00Z',
    ]);
    const repeats = byLine.filter(({ code }) => code === 'repeated');
    expect(repeats.map(({ line }) => line)).toEqual([
      385, 1_825, 3_314, 4_803, 6_292, 7_781, 9_270, 10_759, 12_248, 13_737, 15_226, 16_715, 18_204, 19_693, 21_182,
      22_670, 24_159,
    ]);
    expect(repeats[0]).toEqual({
      line: 385,
      column: '',
      code: 'repeated',
      reason: 'repeats the reading of 2012-10-20T00:00:00Z',
      text: 'MAC000002,import',
    });
  });

  test('the three households are read whole, with carriage returns and times in UTC all year', () => {
    const { batches, counts } = readSource('lbartnik_block_62_3households.csv.gz');
    expect(counts).toEqual({ received: 60_915, accepted: 60_915, rejected: 0 });
    const sum = new ExactSum();
    for (const batch of batches) {
      for (const cursor = new ReadingCursor(batch.columns); cursor.next();) {
        sum.add(cursor.integer, batch.columns.decimals);
      }
    }
    expect(formatDecimal(sum.integer, sum.decimals)).toBe('22663.3259956');
  });
});
