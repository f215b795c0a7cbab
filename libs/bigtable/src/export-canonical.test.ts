import { canonicalAggregate, SheetCursor, wholeWindow } from '@meterflow/aggregates';
import { aggregateWrite, writeOf } from '@meterflow/idempotent-writes/testing';
import { canonicalReading, layers, missingCode, ReadingCursor, type ReadingBatch } from '@meterflow/readings';
import { epochMs, type PlainReading } from '@meterflow/readings/testing';
import { deadLetter } from '@meterflow/stage/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withEmulator, type OpenStores } from './testing/temporary-stores.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function reading(meter: string, hour: number, change: Partial<PlainReading> = {}): PlainReading {
  return {
    ...{ meter, channel: 'import', startMs: epochMs + hour * hourMs, lengthMs: hourMs, integer: 1_250, decimals: 3 },
    ...{ quality: 0, unit: 'kWh', reason: '', declared: 0, ...change },
  };
}

const household = [
  reading('b', 0, { declared: 3 }),
  reading('b', 1, { quality: missingCode }),
  reading('b', 5, { integer: -7, decimals: 6 }),
  reading('a "quoted"', 2, { quality: 1 }),
  reading('b', 6, { lengthMs: 0 }),
  reading('b', 900 * 24, { channel: 'export' }),
];

withEmulator('the canonical export', (emulator) => {
  let stores: OpenStores;

  beforeEach(async () => {
    stores = await emulator.open({ only: ['readings', 'aggregates', 'ledger', 'dead_letters'] });
  });

  afterEach(() => stores.close());

  const exported = async (): Promise<string[]> => {
    let text = '';
    for await (const lines of stores.exportLines()) {
      text += lines;
    }
    return text.split('\n').slice(0, -1);
  };

  test('says what the canonical rows say, sorted as they are, and nothing of how they came', async () => {
    const expected: object[] = [];
    for (const layer of layers) {
      for (const tenant of ['acme', 'other']) {
        const write = writeOf({ acceptedAtMs: 1, readings: household }, { layer, tenant });
        await stores.readings(layer).write([write]);
        await stores.readings(layer).write([writeOf({ acceptedAtMs: 9, readings: household }, { layer, tenant })]);
        expected.push(...readingRows(write.batch));
      }
    }
    const sheet = { startMs: epochMs, endMs: epochMs + dayMs, sums: { 0: 100, 23: 7, [wholeWindow]: 107 } };
    const month = { ...sheet, endMs: epochMs + 31 * dayMs, sums: { [wholeWindow]: 5 } };
    for (const write of [
      aggregateWrite({ ticket: 2, sheets: [sheet] }),
      aggregateWrite({ ticket: 3, level: 'month', sheets: [month, { ...month, meter: 'a' }] }),
    ]) {
      await stores.aggregates.write([write]);
      const cursor = new SheetCursor(write.batch);
      while (cursor.next()) {
        for (let row = cursor.rowsFrom; row < cursor.rowsTo; row++) {
          expected.push(canonicalAggregate(cursor, row));
        }
      }
    }
    await stores.deadLetters.put([deadLetter(2), deadLetter(1)]);
    for (const { stage, key, reasonCode } of [deadLetter(1), deadLetter(2)]) {
      expected.push({ kind: 'dead-letter', stage, key, reasonCode });
    }
    const lines = await exported();
    expect(lines.toSorted()).toEqual(expected.map((row) => JSON.stringify(row)).sort());
    const order = lines.map((line) => {
      const { kind, tenant, meter, channel, layer, resolution, start, end } = JSON.parse(line) as Record<
        string,
        string
      >;
      return [kind, tenant, meter, channel, layer ?? resolution, start, end].join('\t');
    });
    expect(order).toEqual(order.toSorted());
  });

  test('of empty tables is empty', async () => {
    expect(await exported()).toEqual([]);
  });
});

function readingRows({ tenant, layer, series, columns }: ReadingBatch): object[] {
  const rows: object[] = [];
  const cursor = new ReadingCursor(columns);
  while (cursor.next()) {
    rows.push(canonicalReading(tenant, { ...series[cursor.series]!, layer }, cursor));
  }
  return rows;
}
