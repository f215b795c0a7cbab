import { formatDecimal, qualities, ReadingCursor, utcText } from '@meterflow/readings';
import { batchHeader, batchOf, epochMs, plainReading, type PlainReading } from '@meterflow/readings/testing';
import { writeOf } from '@meterflow/idempotent-writes/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readingRows } from './reading-rows.ts';
import { DuckWarehouse } from './testing/duck-warehouse.ts';

let duck: DuckWarehouse;
beforeAll(async () => {
  duck = await DuckWarehouse.open();
});
afterAll(() => {
  duck.close();
});

const columns = `tenant, meter, channel, epoch_ms(start), epoch_ms("end") - epoch_ms(start), value, quality, unit, code,
  method, reason, declared_version, epoch_ms(accepted_at), source, epoch_ms(written_at)`;

describe('a file of readings', () => {
  test('says to another reader of the format what the batches say, in their order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(plainReading, { maxLength: 60 }), { maxLength: 3 }), async (groups) => {
        const writes = groups.flatMap((readings) =>
          fitting(readings).map((some) => writeOf({ acceptedAtMs: 7_000, readings: some })),
        );
        const file = readingRows(writes, 9_000);
        await duck.run('delete from readings_raw_rows');
        await duck.load('readings_raw_rows', file.bytes);
        const found = await duck.run(`select ${columns} from readings_raw_rows`);
        const expected = writes.flatMap(({ batch }) => {
          const cursor = new ReadingCursor(batch.columns);
          const rows: string[][] = [];
          while (cursor.next()) {
            const { meter, channel } = batch.series[cursor.series]!;
            const missing = cursor.qualityCode === 4;
            rows.push([
              'acme',
              meter,
              channel,
              String(cursor.startMs),
              String(cursor.lengthMs),
              missing ? '0' : formatDecimal(cursor.integer, batch.columns.decimals),
              qualities[cursor.qualityCode]!,
              cursor.unit,
              '',
              '',
              cursor.reason,
              String(batch.columns.versions.declared[cursor.versionIndex]),
              '7000',
              batch.sourceId,
              '9000',
            ]);
          }
          return rows;
        });
        expect(found.map(shortened)).toEqual(expected);
        expect(file.rows).toBe(expected.length);
      }),
      { numRuns: 60 },
    );
  });

  test('holds the greatest and the least values, and instants far away', async () => {
    const base: PlainReading = {
      meter: 'm',
      channel: 'c',
      startMs: epochMs,
      lengthMs: 0,
      integer: 0,
      decimals: 0,
      quality: 0,
      unit: 'kWh',
      reason: '',
      declared: 2 ** 53 - 1,
    };
    const far = { ...base, startMs: Date.UTC(2599, 11, 31, 23, 59, 59, 999) };
    const readings = [2 ** 53 - 1, -(2 ** 53 - 1), -1, 1].map((integer) => ({ ...far, integer }));
    const old = { ...base, startMs: Date.UTC(1969, 6, 20), meter: 'ä€😀' };
    const batches = [
      batchOf([...readings, old], batchHeader),
      batchOf([{ ...base, integer: -5, decimals: 9 }], batchHeader),
    ];
    const file = readingRows(
      batches.map((batch) => ({ key: 'k', batch })),
      0,
    );
    await duck.run('delete from readings_raw_rows');
    await duck.load('readings_raw_rows', file.bytes);
    expect(
      (await duck.run('select value, epoch_ms(start), declared_version from readings_raw_rows')).map(shortened),
    ).toEqual([
      ...readings.map(({ integer }) => [String(integer), String(far.startMs), String(2 ** 53 - 1)]),
      ['0', String(old.startMs), String(2 ** 53 - 1)],
      ['-0.000000005', String(epochMs), String(2 ** 53 - 1)],
    ]);
    expect(await duck.run("select meter from readings_raw_rows where start < '1970-01-01'")).toEqual([['ä€😀']]);
    expect(utcText(far.startMs)).toBe('2599-12-31T23:59:59.999Z');
  });
});

/** In as few batches as their decimals allow, here one by one. */
function fitting(readings: readonly PlainReading[]): PlainReading[][] {
  try {
    batchOf(readings, batchHeader);
    return [[...readings]];
  } catch {
    return readings.map((reading) => [reading]);
  }
}

/** Decimals without the zeros at their end. */
function shortened(row: readonly (string | null)[]): (string | null)[] {
  return row.map((cell) => (cell !== null && /^-?\d+\.\d{9}$/.test(cell) ? cell.replace(/\.?0+$/, '') : cell));
}
