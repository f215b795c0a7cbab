import { AggregateBatchBuilder, sameSheet, SheetCursor, type AggregateBatch } from '@meterflow/aggregates';
import type { AggregateStore } from '@meterflow/idempotent-writes';
import { withPorts, type PlantedBug } from '../planted-bug.ts';

/** A sheet that says what is stored already is left out: the stored ticket stays low, and an older sheet can win. */
export const skipEqualAggregates: PlantedBug = {
  name: 'skip an aggregate that looks equal',
  story: 'backAgain',
  ports: (ports) => withPorts(ports, { aggregates: skipping(ports.aggregates) }),
};

function skipping(store: AggregateStore): AggregateStore {
  return {
    read: (sheets) => store.read(sheets),
    write: async (writes) => {
      const kept = [];
      for (const write of writes) {
        kept.push({ ...write, batch: await withoutEqual(store, write.batch) });
      }
      return store.write(kept);
    },
  };
}

async function withoutEqual(store: AggregateStore, batch: AggregateBatch): Promise<AggregateBatch> {
  const builder = new AggregateBatchBuilder();
  for (const sheet = new SheetCursor(batch); sheet.next();) {
    const { tenant, level } = batch;
    const stored = await store.read({
      tenant,
      level,
      ...sheet.series,
      fromMs: sheet.startMs,
      toMs: sheet.startMs + 1,
    });
    const cursor = new SheetCursor(stored);
    if (!cursor.next() || !sameSheet(sheet, cursor)) {
      builder.copy(sheet);
    }
  }
  return builder.finish(batch);
}
