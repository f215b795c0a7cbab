import type { Receipt } from '@meterflow/receipts';
import { describe, expect, test } from 'vitest';
import { barChart, sparkline } from './chart.ts';
import { erasureText, type ErasureProof } from './erasure-text.ts';
import { ProgressBar, progressLine, short } from './progress-bar.ts';
import { receiptText } from './receipt-text.ts';
import { table } from './table.ts';

const points = (...values: number[]): { label: string; value: number }[] =>
  values.map((value, index) => ({ label: `p${index}`, value }));

describe('a sparkline', () => {
  test('goes from the least level to the greatest, with both ends named', () => {
    expect(sparkline(points(0, 1, 2, 3, 4, 5, 6, 7))).toBe('▁▂▃▄▅▆▇█\np0    p7');
  });

  test('averages what does not fit', () => {
    expect(sparkline(points(0, 0, 8, 8), 2).split('\n')[0]).toBe('▁█');
  });

  test('of equal values, of nothing and of negative ones is drawn as well', () => {
    expect(sparkline(points(5, 5)).split('\n')[0]).toBe('██');
    expect(sparkline(points(0, 0)).split('\n')[0]).toBe('▁▁');
    expect(sparkline([])).toBe('');
    expect(sparkline(points(-1, 1)).split('\n')[0]).toBe('▁█');
  });
});

describe('a bar chart', () => {
  test('has bars in proportion and points below one another', () => {
    const rows = [
      { label: 'a', value: 10, text: '10' },
      { label: 'bb', value: 5.25, text: '5.25' },
    ];
    expect(barChart(rows, 4)).toBe('a   ████  10\nbb  ██     5.25');
  });

  test('of zeros and of nothing is drawn as well', () => {
    expect(barChart(points(0), 4)).toBe('p0        0');
    expect(barChart([], 4)).toBe('');
  });
});

describe('a table', () => {
  test('has columns as wide as they need, numbers to the right', () => {
    expect(
      table(
        ['name', 'count'],
        [
          ['a', 5],
          ['long name', 12_000],
        ],
      ),
    ).toBe(['name       count', '─────────  ─────', 'a              5', 'long name  12000'].join('\n'));
  });

  test('takes exact numbers as numbers, and leaves room for what is missing', () => {
    expect(
      table(
        ['value', 'x'],
        [
          ['0.5', null],
          ['12.25', 'y'],
        ],
      ),
    ).toBe('value  x\n─────  ─\n  0.5\n12.25  y');
  });

  test('of no rows is its heading', () => {
    expect(table(['a'], [])).toBe('a\n─');
  });
});

describe('a progress bar', () => {
  const halfway = { done: 50, total: 100, count: 2_000_000, noun: 'readings' };

  test('says share, count, rate and what is left', () => {
    expect(progressLine(halfway, 4)).toMatch(/^█{14}░{14} {2}50 % {2}2\.00 M readings {2}500 k\/s {2}4 s left$/);
  });

  test('says nothing that it can not know', () => {
    expect(progressLine({ ...halfway, done: 0 }, 1)).toMatch(/ 0 % .* starting$/);
    expect(progressLine({ ...halfway, done: 300 }, 1)).toContain('100 %');
    expect(progressLine({ ...halfway, total: 0 }, 0)).toContain('100 %');
  });

  test.each([0, 10, 25, 40, 52, 80, 200])('fits a terminal of %i columns', (columns) => {
    for (const done of [0, 50, 100]) {
      const line = progressLine({ ...halfway, done }, 4_000, columns);
      expect(line.length).toBeLessThanOrEqual(Math.max(0, columns - 1));
    }
    expect(progressLine(halfway, 4, 25)).toBe('50 %  2.00 M readings  5');
    expect(progressLine(halfway, 4, 60)).toMatch(/^█{5,}░{5,} {2}50 % .* 4 s left$/);
  });

  test('shows large numbers short', () => {
    expect([7, 9_999, 12_345, 1_234_567].map(short)).toEqual(['7', '9999', '12.3 k', '1.23 M']);
  });

  test('draws over itself on a terminal, and nothing elsewhere', () => {
    const drawn = (isTTY: boolean): string => {
      let text = '';
      const out = { isTTY, write: (piece: string) => (text += piece) } as unknown as typeof process.stderr;
      const bar = new ProgressBar(out);
      bar.update(halfway);
      bar.update(halfway);
      bar.clear();
      return text;
    };
    expect(drawn(false)).toBe('');
    const emptied = '\r\u001b[2K';
    expect(drawn(true).split(emptied)).toEqual(['', expect.stringContaining('50 %'), '']);
  });
});

const receipt: Receipt = {
  ...{
    sourceId: 'a.1',
    tenant: 'default',
    label: 'june.csv',
    state: 'complete',
    acceptedAt: '2024-01-01T00:00:00.000Z',
  },
  ...{ received: 5, accepted: 4, rejected: 1, duplicates: 1, inserted: 3, superseded: 0, shadowed: 0, conflicts: 0 },
  ...{ aggregatesWritten: 9, batches: 1, batchesDead: 0, batchesParked: 0, seconds: 2 },
  rejectsListed: 1,
  rejects: [{ line: 3, column: 'value', code: 'no-value', reason: 'it is empty', text: 'm,' }],
  ...{ repeated: 0, gaps: 0, missing: 0, assumed: 0, remarks: [] },
};

describe('a receipt', () => {
  test('says what adds up to what, and which lines are bad', () => {
    const text = receiptText(receipt);
    expect(text).toContain('june.csv  (source a.1)');
    expect(text).toContain('accepted    4  = 3 inserted + 1 duplicates');
    expect(text).toContain('line 3, value: it is empty (no-value)');
    expect(text).not.toContain('dead');
  });

  test('says what was noticed where something was', () => {
    expect(receiptText(receipt)).not.toContain('noticed');
    const gap = { line: 7, column: '', code: 'gap', reason: '2 readings are missing before it', text: 'm,c' };
    const text = receiptText({ ...receipt, repeated: 1, gaps: 1, missing: 2, remarks: [gap] });
    expect(text).toContain('noticed     1 repeated, 1 gaps with 2 missing');
    expect(text).toContain('line 7: 2 readings are missing before it (gap)');
  });

  test('names dead letters only where there are any, and a request by what it is', () => {
    const text = receiptText({ ...receipt, label: '', batchesDead: 2, rejects: [] });
    expect(text).toMatch(/^request {2}\(source a\.1\)/);
    expect(text).toContain('2 batches are dead letters, 0 are parked: meterflow dead-letters list');
  });
});

test('an erasure is shown place by place, with what a second look found', () => {
  const stored = { series: 1, rows: 7, historyRows: 2 };
  const nothing = { series: 0, rows: 0, historyRows: 0 };
  const proof: ErasureProof = {
    ...{ id: 'x1', tenant: 'acme', meter: 'm1', upTo: '2024-01-01T00:00:00.000Z', clean: true },
    erased: {
      ...{ raw: stored, validated: stored, aggregates: stored, receipts: { labels: 1, rejects: 3 } },
      ...{ deadLetters: { purged: 1, reduced: 1 }, droppedFiles: 0 },
    },
    found: {
      ...{ raw: nothing, validated: nothing, aggregates: nothing, receipts: { labels: 0, rejects: 0 } },
      ...{ deadLetters: { purged: 0, reduced: 0 }, droppedFiles: 0 },
    },
    keptForReplay: { messages: 4, until: '2024-01-02T00:00:00.000Z' },
    droppedFilesKept: 1,
  };
  const text = erasureText(proof);
  expect(text).toContain('Erased meter m1 of tenant acme, all that was accepted up to 2024-01-01T00:00:00.000Z.');
  expect(text).toMatch(/raw readings, series-days +7 +0\n/);
  expect(text).toMatch(/dead letters, parked batches +2 +0\n/);
  expect(text).toContain('4 messages of the tenant stay on the bus until 2024-01-02T00:00:00.000Z');
  expect(text).toContain('1 files that the drop folder took stay');
});
