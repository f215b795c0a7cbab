import { utcText } from '@meterflow/readings';
import type { Remark, RemarkCounts } from '@meterflow/receipts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atOneGo, createReader, defaultMapping } from './index.ts';
import { remarksPerCodeMax, spansPerSeriesMax } from './limits.ts';

const stepMs = 900_000;
const firstMs = Date.UTC(2024, 0, 1);
const header = 'meter_id,channel,start,end,value,unit\n';

interface Row {
  readonly meter: string;
  readonly slot: number;
}

function line({ meter, slot }: Row): string {
  const startMs = firstMs + slot * stepMs;
  return `${meter},import,${utcText(startMs)},${utcText(startMs + stepMs)},1,kWh\n`;
}

function noticed(text: string, cutAt: number = text.length): { remarks: Remark[]; remarked: RemarkCounts } {
  const remarks: Remark[] = [];
  const reader = createReader('csv', {
    mapping: defaultMapping,
    header: { tenant: 't', layer: 'raw', sourceId: 's-1', acceptedAtMs: Date.UTC(2025, 0, 1), activation: 1 },
    readingsPerBatch: 7,
    onBatch: () => undefined,
    onRejects: (rejects) => {
      throw new Error(rejects[0]?.reason);
    },
    onRemarks: (some) => remarks.push(...some),
  });
  atOneGo(reader.push(Buffer.from(text.slice(0, cutAt))));
  atOneGo(reader.push(Buffer.from(text.slice(cutAt))));
  atOneGo(reader.end());
  return { remarks: remarks.sort((a, b) => a.line - b.line), remarked: reader.remarked };
}

/** What is there to notice, told from all readings at once. */
function expected(rows: readonly Row[]): { repeatedLines: number[]; gaps: number; missing: number } {
  const repeatedLines: number[] = [];
  const seen = new Set<string>();
  rows.forEach((row, index) => {
    const name = `${row.meter} ${row.slot}`;
    if (seen.has(name)) {
      repeatedLines.push(index + 2);
    }
    seen.add(name);
  });
  let [gaps, missing] = [0, 0];
  for (const meter of new Set(rows.map((row) => row.meter))) {
    const slots = [...new Set(rows.filter((row) => row.meter === meter).map(({ slot }) => slot))].sort((a, b) => a - b);
    slots.slice(1).forEach((slot, index) => {
      const hole = slot - slots[index]! - 1;
      gaps += hole > 0 ? 1 : 0;
      missing += hole;
    });
  }
  return { repeatedLines, gaps, missing };
}

describe('what a source repeats and leaves out', () => {
  test('is noticed in any order of its lines, however they are cut', () => {
    const rows = fc.array(
      fc.record({ meter: fc.constantFrom('a', 'b'), slot: fc.nat({ max: spansPerSeriesMax * 2 - 2 }) }),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(rows, fc.nat({ max: 400 }), (some, cutAt) => {
        const { remarks, remarked } = noticed(header + some.map(line).join(''), cutAt);
        const { repeatedLines, gaps, missing } = expected(some);
        expect(remarked).toMatchObject({ repeated: repeatedLines.length, gaps, missing });
        expect(remarks.filter(({ code }) => code === 'repeated').map((remark) => remark.line)).toEqual(repeatedLines);
        expect(remarks.filter(({ code }) => code === 'gap')).toHaveLength(gaps);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['in order', (slots: number[]) => slots],
    ['newest first', (slots: number[]) => slots.reverse()],
    ['the second half first', (slots: number[]) => [...slots.slice(500), ...slots.slice(0, 500)]],
  ])('is noticed in a file that stands %s', (_, ordered) => {
    const slots = Array.from({ length: 1_000 }, (_unused, slot) => slot).filter((slot) => slot !== 300 && slot !== 301);
    const text =
      header +
      ordered(slots)
        .map((slot) => line({ meter: 'm', slot }))
        .join('');
    const { remarks, remarked } = noticed(text);
    expect(remarked).toMatchObject({ repeated: 0, gaps: 1, missing: 2 });
    expect(remarks[0]?.reason).toBe(
      '2 readings are missing before it, from 2024-01-04T03:00:00Z to 2024-01-04T03:30:00Z',
    );
  });

  test('is told of a whole file that stands twice in one', () => {
    const once = Array.from({ length: 700 }, (_, slot) => line({ meter: 'm', slot })).join('');
    const { remarks, remarked } = noticed(header + once + once);
    expect(remarked).toMatchObject({ repeated: 700, gaps: 0, missing: 0 });
    expect(remarks[0]).toMatchObject({ line: 702, text: 'm,import' });
  });

  test('is told of gaps beyond those that are remembered, in order', () => {
    const slots = Array.from({ length: spansPerSeriesMax * 5 }, (_, index) => index * 2);
    const { remarks, remarked } = noticed(header + slots.map((slot) => line({ meter: 'm', slot })).join(''));
    expect(remarked).toMatchObject({ repeated: 0, gaps: slots.length - 1, missing: slots.length - 1 });
    expect(remarks.map((remark) => remark.line)).toEqual(slots.slice(1).map((_, index) => index + 3));
  });

  test('is counted further than it is kept', () => {
    const { remarks, remarked } = noticed(header + line({ meter: 'm', slot: 1 }).repeat(remarksPerCodeMax + 50));
    expect(remarked.repeated).toBe(remarksPerCodeMax + 49);
    expect(remarks).toHaveLength(remarksPerCodeMax);
  });

  test('is of registers a repeat that follows at once', () => {
    const at = (slot: number): string =>
      `m,import,${utcText(firstMs + slot * stepMs)},${utcText(firstMs + slot * stepMs)},5,kWh\n`;
    const { remarks, remarked } = noticed(header + at(1) + at(9) + at(9) + at(20));
    expect(remarked).toMatchObject({ repeated: 1, gaps: 0, missing: 0 });
    expect(remarks).toMatchObject([{ line: 4, code: 'repeated' }]);
  });

  test('is nothing where local days have 23 and 25 hours', () => {
    const days = ['2024-03-30', '2024-03-31', '2024-04-01', '2024-10-26', '2024-10-27', '2024-10-28'];
    const mapping = {
      ...defaultMapping,
      time: { ...defaultMapping.time, zone: 'Europe/Zurich' },
      interval: { ...defaultMapping.interval, length: '1d', offGrid: 'accept' as const },
    };
    const remarks: Remark[] = [];
    const reader = createReader('csv', {
      mapping,
      header: { tenant: 't', layer: 'raw', sourceId: 's-1', acceptedAtMs: Date.UTC(2025, 0, 1), activation: 1 },
      onBatch: () => undefined,
      onRejects: () => undefined,
      onRemarks: (some) => remarks.push(...some),
    });
    atOneGo(
      reader.push(
        Buffer.from('meter_id,channel,start,value,unit\n' + days.map((day) => `m,c,${day}T00:00,1,kWh\n`).join('')),
      ),
    );
    atOneGo(reader.end());
    expect(reader.remarked).toMatchObject({ repeated: 0, gaps: 1 });
    expect(remarks).toMatchObject([{ line: 5, code: 'gap' }]);
  });
});
