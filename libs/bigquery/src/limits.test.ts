import { encodeReadingBatch } from '@meterflow/contracts';
import { BatchBuilder, rawVersion, ReadingRow } from '@meterflow/readings';
import { expect, test } from 'vitest';
import {
  loadsPerDay,
  loadsPerTableAndDayMax,
  warehouseLeases,
  warehouseReadingsPerDayMax,
  warehouseStageLimits,
} from './limits.ts';

const readings = 2_000;
const slotMs = 900_000;
/** One billion, over the two lanes that there are to begin with: either may carry all of it. */
const neededPerDay = 1e9;

/** A message as live push makes them (many meters, one interval), or files (one meter, many intervals). */
function message(meters: number): { readonly readings: number; readonly bytes: number } {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  for (let index = 0; index < readings; index++) {
    row.series = builder.series(`CH1003601234500000000000${String(index % meters).padStart(9, '0')}`, 'import');
    row.unit = builder.text('kWh');
    row.version = builder.version(rawVersion(0, 1_000));
    row.startMs = 1_700_000_000_000 - (1_700_000_000_000 % slotMs) + Math.floor(index / meters) * slotMs;
    row.lengthMs = slotMs;
    row.integer = (index * 7_919) % 5_000;
    row.decimals = 3;
    builder.append(row);
  }
  const batch = builder.finish({ tenant: 'acme', layer: 'raw', sourceId: 's.1', acceptedAtMs: 1_000, activation: 1 });
  return { readings, bytes: encodeReadingBatch(batch).length };
}

test.each([
  ['live push', readings],
  ['files', 1],
])('one process a lane carries a billion readings a day of %s into each table', (_, meters) => {
  expect(warehouseReadingsPerDayMax(message(meters))).toBeGreaterThan(neededPerDay);
});

test('two lanes, with a process each, stay below the loads that BigQuery takes', () => {
  expect(2 * loadsPerDay()).toBeLessThanOrEqual(loadsPerTableAndDayMax);
  expect(3 * loadsPerDay()).toBeGreaterThan(loadsPerTableAndDayMax);
});

test('a process leases the group in work and the next', () => {
  expect(warehouseLeases.leasedBytesMax).toBeGreaterThanOrEqual(2 * warehouseStageLimits.groupBytesMax);
  expect(warehouseLeases.leasesMax).toBeGreaterThanOrEqual(2 * warehouseStageLimits.groupMessagesMax);
});
