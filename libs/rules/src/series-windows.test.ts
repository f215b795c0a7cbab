import { calendarOf, dayMs } from '@meterflow/aggregates';
import { expect, test } from 'vitest';
import { localDays } from './local-days.ts';
import { SeriesWindows } from './series-windows.ts';

test('a day has the facts of the registry that hold where it begins', () => {
  const days = localDays(calendarOf('Europe/Zurich'), 19_723, 3);
  const exchangedMs = days.startMs[1] as number;
  const windows = new SeriesWindows(
    {
      ...{ tenant: 'acme', series: { meter: 'm1', channel: 'import' }, unit: 'kWh', days, activation: 1 },
      tagsAt: (atMs) => ({ dials: atMs < exchangedMs ? 5 : 6 }),
      closedThroughMs: 20_000 * dayMs,
    },
    { channel: 'import', intervalMs: 900_000, columns: [] },
    [],
  );
  const dials = [0, 1, 2].map((day) => windows.run(day, { backDays: 0, aheadDays: 0 }).run.tags['dials']);
  expect(dials).toEqual([5, 6, 6]);
});
