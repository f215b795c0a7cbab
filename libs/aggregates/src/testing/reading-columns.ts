import {
  BatchBuilder,
  qualityCode,
  rawVersion,
  ReadingRow,
  type Quality,
  type ReadingColumns,
} from '@meterflow/readings';

/** One reading as tests write it down. */
export interface WrittenReading {
  readonly startMs: number;
  readonly lengthMs: number;
  readonly integer: number;
  readonly decimals: number;
  readonly quality: Quality;
  readonly unit: string;
}

/** Puts the readings of one series in columns, in the order given. */
export function readingColumns(readings: readonly WrittenReading[]): ReadingColumns {
  const builder = new BatchBuilder(Math.max(1, readings.length));
  const row = new ReadingRow();
  row.series = builder.series('meter', 'import');
  row.version = builder.version(rawVersion(1, 0));
  for (const reading of readings) {
    row.startMs = reading.startMs;
    row.lengthMs = reading.lengthMs;
    row.integer = reading.integer;
    row.decimals = reading.decimals;
    row.quality = qualityCode(reading.quality);
    row.unit = builder.text(reading.unit);
    builder.append(row);
  }
  return builder.finish({ tenant: 'default', layer: 'validated', sourceId: 's', acceptedAtMs: 1, activation: 1 })
    .columns;
}
