import { calendarOf, dayMs } from '@meterflow/aggregates';
import { BatchBuilder, rawVersion, ReadingRow, type ReadingColumns } from '@meterflow/readings';
import { localDays, SeriesWindows, type SeriesNeeds, type SeriesRun } from '@meterflow/rules';

const meter = 'meter-0';
const intervalMs = 1_800_000;
const firstDay = Date.UTC(2024, 0, 1) / dayMs;
const days = localDays(calendarOf('UTC'), firstDay, 3);

/** What a rule that looks at days is given: the days around its own, another channel to read and one to emit on. */
export const dayNeeds: SeriesNeeds = {
  reads: ['export'],
  emits: ['net'],
  lookBackDays: 1,
  lookAheadDays: 1,
  tags: [],
};

/** A closed day of half-hours with gaps, between two others; the values differ from tenant to tenant. */
export function dayOf(tenant: string, seed: number): SeriesRun {
  const facts = { tenant, series: { meter, channel: 'import' }, unit: 'kWh', tagsAt: () => ({}), days, activation: 1 };
  const windows = new SeriesWindows(
    { ...facts, closedThroughMs: days.startMs.at(-1) as number },
    { channel: 'import', intervalMsAt: () => intervalMs, columns: [columnsOf('import', seed)] },
    [{ channel: 'export', intervalMsAt: () => intervalMs, columns: [columnsOf('export', seed + 1)] }],
  );
  return windows.run(1, { backDays: 1, aheadDays: 1 });
}

function columnsOf(channel: string, seed: number): ReadingColumns {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series(meter, channel);
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(0, 1));
  row.lengthMs = intervalMs;
  row.decimals = 3;
  for (let startMs = firstDay * dayMs; startMs < (firstDay + 3) * dayMs; startMs += intervalMs) {
    const slot = startMs / intervalMs;
    if (slot % 7 !== 3) {
      row.startMs = startMs;
      row.integer = ((slot + seed * 31) * 7_919) % 3_000;
      builder.append(row);
    }
  }
  return builder.finish({ tenant: '', layer: 'raw', sourceId: '', acceptedAtMs: 1, activation: 0 }).columns;
}
