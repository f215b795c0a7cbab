import { BatchBuilder, ReadingRow, type ReadingColumns } from '@meterflow/readings';
import { expect, test } from 'vitest';
import { WindowSums } from './window-sums.ts';

const hourMs = 3_600_000;

/** One of an hour, and four of quarters of the hour after it. */
function columns(): ReadingColumns {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  const lengths = [hourMs, ...new Array<number>(4).fill(hourMs / 4)];
  lengths.forEach((lengthMs, index) => {
    row.series = builder.series('m', 'import');
    row.unit = builder.text('kWh');
    row.code = builder.text('');
    row.version = builder.version({ declared: 0, acceptedAtMs: 0, activation: 0, ticket: 0, computed: true });
    row.startMs = index === 0 ? 0 : hourMs + (index - 1) * lengthMs;
    row.lengthMs = lengthMs;
    row.integer = index === 0 ? 7 : 1;
    row.decimals = 0;
    builder.append(row);
  });
  return builder.finish({ tenant: 't', layer: 'validated', sourceId: '', acceptedAtMs: 0, activation: 0 }).columns;
}

test('sums are of the registered length, as aggregates are', () => {
  const sumUnder = (intervalMs: number | undefined): string[] => {
    const sums = new WindowSums();
    const intervals = intervalMs === undefined ? [] : [{ fromMs: -8.64e15, intervalMs }];
    sums.add('before', {
      series: { meter: 'm', channel: 'import' },
      settings: { timeZone: 'UTC', intervals },
      ...{ firstDay: 0, endDay: 1, columns: [columns()] },
    });
    return sums.days.map(({ before }) => before);
  };
  expect(sumUnder(hourMs)).toEqual(['7']);
  expect(sumUnder(hourMs / 4)).toEqual(['4']);
  expect(sumUnder(undefined)).toEqual(['4']);
});
