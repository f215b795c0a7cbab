import { calendarOf, dayMs } from '@meterflow/aggregates';
import { BatchBuilder, rawVersion, ReadingRow, type ReadingColumns } from '@meterflow/readings';
import fc from 'fast-check';
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
    { channel: 'import', intervalMsAt: () => 900_000, columns: [] },
    [],
  );
  const dials = [0, 1, 2].map((day) => windows.run(day, { backDays: 0, aheadDays: 0 }).days[0]?.tags['dials']);
  expect(dials).toEqual([5, 6, 6]);
});

const firstDay = 19_723;
const minuteMs = 60_000;

/** What is stored of one day of UTC, and of the day as it is to be run. */
interface PlannedDay {
  readonly minutes: 15 | 30;
  readonly unit: 'kWh' | 'Wh';
  readonly readings: number;
}

const planned = fc.array(
  fc.record<PlannedDay>({
    minutes: fc.constantFrom(15, 30),
    unit: fc.constantFrom('kWh', 'Wh'),
    readings: fc.constantFrom(0, 0, 1, 3),
  }),
  { minLength: 6, maxLength: 9 },
);

/** The days from `from` on, as they would be read when nothing else is due. */
function windowsFrom(plan: readonly PlannedDay[], from: number, to: number): SeriesWindows {
  const days = localDays(calendarOf('UTC'), firstDay + from, to - from);
  const facts = { tenant: 'acme', series: { meter: 'm1', channel: 'import' }, unit: undefined, days, activation: 1 };
  const columns = plan.slice(from, to).map((day, index) => columnsOf(day, (firstDay + from + index) * dayMs));
  return new SeriesWindows(
    { ...facts, tagsAt: () => ({}), closedThroughMs: 0 },
    { channel: 'import', intervalMsAt: () => undefined, columns },
    [],
  );
}

function columnsOf({ minutes, unit, readings }: PlannedDay, startMs: number): ReadingColumns {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series('m1', 'import');
  row.unit = builder.text(unit);
  row.version = builder.version(rawVersion(0, 1));
  row.lengthMs = minutes * minuteMs;
  for (let slot = 0; slot < readings; slot++) {
    row.startMs = startMs + slot * row.lengthMs;
    row.integer = slot + 1;
    builder.append(row);
  }
  return builder.finish({ tenant: 'acme', layer: 'raw', sourceId: '', acceptedAtMs: 1, activation: 0 }).columns;
}

test('what a rule sees of a day hangs on no other day that is computed with it, registered or not', () => {
  fc.assert(
    fc.property(planned, fc.nat(2), fc.nat(2), (plan, backDays, aheadDays) => {
      const together = windowsFrom(plan, 0, plan.length);
      for (let day = backDays; day + aheadDays < plan.length; day++) {
        const alone = windowsFrom(plan, day - backDays, day + aheadDays + 1);
        const seen = together.run(day, { backDays, aheadDays });
        const asIs = alone.run(backDays, { backDays, aheadDays });
        const told = ({ unit, intervalMs, days, windows }: typeof seen) => ({
          ...{ unit, intervalMs, slots: days[0]?.slots },
          values: windows.map((window) => [...window.values]),
        });
        expect(told(seen)).toEqual(told(asIs));
      }
    }),
  );
});

test('a day that nothing around tells the interval of has no slots; a registered one has them all', () => {
  const nothing = { minutes: 30, unit: 'kWh', readings: 0 } as const;
  const run = windowsFrom([nothing, { ...nothing, readings: 3 }], 0, 2).run(0, { backDays: 0, aheadDays: 0 });
  expect([run.days[0]?.slots, run.intervalMs, run.unit]).toEqual([0, 0, '']);
  const ahead = windowsFrom([nothing, { ...nothing, readings: 3 }], 0, 2).run(0, { backDays: 0, aheadDays: 1 });
  expect([ahead.days[0]?.slots, ahead.unit]).toEqual([48, 'kWh']);
});
