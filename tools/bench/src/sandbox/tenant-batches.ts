import { BatchBuilder, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';

/** Half-hours of one meter for each of so many tenants, in kWh with three decimals. */
export function tenantBatches(tenants: number, readings: number): readonly ReadingBatch[] {
  return Array.from({ length: tenants }, (_, tenant) => batchOf(`tenant-${tenant}`, readings));
}

export function batchOf(tenant: string, readings: number): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  for (let index = 0; index < readings; index++) {
    row.series = builder.series('meter', 'import');
    row.unit = builder.text('kWh');
    row.version = builder.version(rawVersion(0, 1));
    row.startMs = Date.UTC(2024, 0, 1) + index * 1_800_000;
    row.lengthMs = 1_800_000;
    row.integer = (index * 7_919) % 3_000;
    row.decimals = 3;
    builder.append(row);
  }
  return builder.finish({ tenant, layer: 'raw', sourceId: 'bench/1', acceptedAtMs: 1, activation: 1 });
}
