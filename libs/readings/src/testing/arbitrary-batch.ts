import fc from 'fast-check';
import { BatchBuilder, rawVersion, ReadingRow, type BatchHeader, type ReadingBatch } from '../index.ts';

/** One reading as a person would write it down: the reference that columns are held against. */
export interface PlainReading {
  readonly meter: string;
  readonly channel: string;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly integer: number;
  readonly decimals: number;
  readonly quality: number;
  readonly unit: string;
  readonly reason: string;
  readonly declared: number;
}

export const hourMs = 3_600_000;
export const epochMs = Date.UTC(2024, 0, 1);

/** Readings of few series on few slots, so that identities meet; some off the grid, some registers. */
export const plainReading: fc.Arbitrary<PlainReading> = fc.record({
  meter: fc.constantFrom('m1', 'm2', 'm-3'),
  channel: fc.constantFrom('import', 'export'),
  startMs: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }).map((slot) => epochMs + slot * 900_000) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 4 * 24 * hourMs }).map((offsetMs) => epochMs + offsetMs) },
  ),
  lengthMs: fc.constantFrom(900_000, 900_000, 900_000, 1_800_000, 0),
  integer: fc.oneof(fc.integer({ min: -1000, max: 100_000 }), fc.integer({ min: -(2 ** 32), max: 2 ** 32 })),
  decimals: fc.constantFrom(0, 2, 3, 3, 6),
  quality: fc.constantFrom(0, 0, 0, 1, 2, 4),
  unit: fc.constantFrom('kWh', 'kWh', 'Wh'),
  reason: fc.constantFrom('', '', '', 'spike'),
  declared: fc.constantFrom(0, 0, 1, 2),
});

export const batchHeader: BatchHeader = {
  tenant: 'acme',
  layer: 'raw',
  sourceId: 'source.1',
  acceptedAtMs: epochMs + 1000 * hourMs,
  activation: 1,
};

/** Builds a batch of plain readings. All must fit one batch. */
export function batchOf(readings: readonly PlainReading[], header: BatchHeader = batchHeader): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  readings.forEach((reading, index) => {
    row.series = builder.series(reading.meter, reading.channel);
    row.startMs = reading.startMs;
    row.lengthMs = reading.lengthMs;
    row.integer = reading.integer;
    row.decimals = reading.decimals;
    row.quality = reading.quality;
    row.unit = builder.text(reading.unit);
    row.reason = builder.text(reading.reason);
    row.version = builder.version(rawVersion(reading.declared, header.acceptedAtMs));
    row.line = 2 + index;
    if (!builder.takes(reading.integer, reading.decimals)) {
      throw new RangeError('these readings do not fit one batch');
    }
    builder.append(row);
  });
  return builder.finish(header);
}
