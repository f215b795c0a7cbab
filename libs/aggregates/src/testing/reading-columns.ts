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
  readonly method?: string;
  readonly code?: string;
  /** The revision that the provider declares; 0: none, and accepted at 5. */
  readonly declared?: number;
}

/** Puts the readings of one series in columns, in the order given. */
export function readingColumns(readings: readonly WrittenReading[]): ReadingColumns {
  const builder = new BatchBuilder(Math.max(1, readings.length));
  const row = new ReadingRow();
  row.series = builder.series('meter', 'import');
  for (const reading of readings) {
    row.startMs = reading.startMs;
    row.lengthMs = reading.lengthMs;
    row.integer = reading.integer;
    row.decimals = reading.decimals;
    row.quality = qualityCode(reading.quality);
    row.unit = builder.text(reading.unit);
    row.method = builder.text(reading.method ?? '');
    row.code = builder.text(reading.code ?? '');
    row.version = builder.version(rawVersion(reading.declared ?? 1, 5));
    builder.append(row);
  }
  return builder.finish({ tenant: 'default', layer: 'validated', sourceId: 's', acceptedAtMs: 1, activation: 1 })
    .columns;
}
