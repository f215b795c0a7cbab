import type { ReadingStore } from '@meterflow/idempotent-writes';
import { rawVersion, versionsOf, type ReadingBatch } from '@meterflow/readings';
import { withPorts, type PlantedBug } from '../planted-bug.ts';

/** What was accepted last counts, whatever version its provider gave it. */
export const mergeByAcceptance: PlantedBug = {
  name: 'merge by acceptedAt',
  story: 'versions',
  ports: (ports) => withPorts(ports, { readings: (layer) => byAcceptance(ports.readings(layer)) }),
};

function byAcceptance(store: ReadingStore): ReadingStore {
  return {
    write: (writes) => store.write(writes.map((write) => ({ ...write, batch: undeclared(write.batch) }))),
    read: (days) => store.read(days),
    firstMs: (series) => store.firstMs(series),
  };
}

function undeclared(batch: ReadingBatch): ReadingBatch {
  const { columns, acceptedAtMs } = batch;
  const versions = versionsOf(Array.from(columns.versions.declared, () => rawVersion(0, acceptedAtMs)));
  return { ...batch, columns: { ...columns, versions } };
}
