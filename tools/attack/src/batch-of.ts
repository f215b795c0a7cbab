import { BatchBuilder, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';

const readingsPerBatch = 96;

/** Half-hours of two meters that differ from tenant to tenant. */
export function batchOf(tenant: string, seed: number): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  for (let index = 0; index < readingsPerBatch; index++) {
    row.series = builder.series(`meter-${index % 2}`, index % 2 === 1 ? 'export' : 'import');
    row.unit = builder.text('kWh');
    row.version = builder.version(rawVersion(0, 1));
    row.startMs = Date.UTC(2024, 0, 1) + Math.floor(index / 2) * 1_800_000;
    row.lengthMs = 1_800_000;
    row.integer = ((index + seed * 31) * 7_919) % 3_000;
    row.decimals = 3;
    builder.append(row);
  }
  return builder.finish({ tenant, layer: 'raw', sourceId: 'attack/1', acceptedAtMs: 1, activation: 1 });
}
