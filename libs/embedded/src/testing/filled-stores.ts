import {
  AggregateBatchBuilder,
  appendMonthSheets,
  calendarOf,
  DaySheets,
  monthOfDay,
  type RegisteredIntervals,
} from '@meterflow/aggregates';
import { BatchBuilder, ReadingRow, rawVersion, type Layer, type ReadingBatch } from '@meterflow/readings';
import { dataDirectory } from '../data-directory.ts';
import { openAggregateStore } from '../stores/aggregate-store.ts';
import { openReadingStore } from '../stores/reading-store.ts';

/** One reading as tests write it down. */
export interface StoredReading {
  readonly tenant?: string;
  readonly meter: string;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly integer: number;
  readonly decimals: number;
  readonly quality?: number;
  readonly declared?: number;
}

let keys = 0;
const nextKey = (): string => (++keys).toString(16).padStart(32, '0');

/**
 * Stores readings in the raw and validated layers of a data directory, and the aggregates of the validated ones by the
 * registered lengths.
 */
export async function fillStores(
  root: string,
  readings: readonly StoredReading[],
  intervals: RegisteredIntervals = [],
): Promise<void> {
  const files = dataDirectory(root);
  for (const layer of ['raw', 'validated'] as const) {
    const store = openReadingStore({ file: files.store(layer), layer });
    const batches = [...Map.groupBy(readings, ({ tenant }) => tenant ?? 'default')].flatMap(([tenant, own]) =>
      batchesOf(own, tenant, layer),
    );
    await store.write(batches.map((batch) => ({ key: nextKey(), batch })));
    store.close();
  }
  await aggregate(root, intervals);
}

function batchesOf(readings: readonly StoredReading[], tenant: string, layer: Layer): ReadingBatch[] {
  const header = { tenant, layer, sourceId: 'source/1', acceptedAtMs: 1, activation: 1 };
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  const batches: ReadingBatch[] = [];
  for (const reading of readings) {
    if (!builder.takes(reading.integer, reading.decimals)) {
      batches.push(builder.finish(header));
    }
    row.series = builder.series(reading.meter, 'import');
    row.unit = builder.text('kWh');
    row.version = builder.version(rawVersion(reading.declared ?? 0, 1));
    row.startMs = reading.startMs;
    row.lengthMs = reading.lengthMs;
    row.integer = reading.integer;
    row.decimals = reading.decimals;
    row.quality = reading.quality ?? 0;
    builder.append(row);
  }
  batches.push(builder.finish(header));
  return batches;
}

async function aggregate(root: string, intervals: RegisteredIntervals): Promise<void> {
  const files = dataDirectory(root);
  const readings = openReadingStore({ file: files.store('validated'), layer: 'validated' });
  const aggregates = openAggregateStore({ file: files.store('aggregates') });
  const builder = new AggregateBatchBuilder();
  const calendar = calendarOf('UTC');
  const everything = { fromMs: 0, toMs: 4e12 };
  for (const { tenant, meter, channel } of [...readings.series()]) {
    const segments = await readings.read({ tenant, meter, channel, layer: 'validated', ...everything });
    const days = segments.map(({ day }) => day);
    const [firstDay, endDay] = [Math.min(...days), Math.max(...days) + 1];
    const series = builder.series(meter, channel);
    const columns = segments.map((segment) => segment.columns);
    new DaySheets().append(builder, { series, calendar, intervals, firstDay, endDay }, columns);
    const daySheets = builder.finish({ tenant, level: 'day', ticket: 1, causes: [] });
    await aggregates.write([{ key: nextKey(), batch: daySheets }]);
    const [firstMonth, endMonth] = [monthOfDay(firstDay), monthOfDay(endDay - 1) + 1];
    const request = { series: builder.series(meter, channel), calendar, intervals, firstMonth, endMonth };
    appendMonthSheets(builder, request, daySheets);
    const months = builder.finish({ tenant, level: 'month', ticket: 2, causes: [] });
    await aggregates.write([{ key: nextKey(), batch: months }]);
  }
  readings.close();
  aggregates.close();
}
