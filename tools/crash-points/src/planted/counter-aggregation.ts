import { AggregateBatchBuilder, SheetCursor, type AggregateBatch } from '@meterflow/aggregates';
import type { AggregateStore } from '@meterflow/idempotent-writes';
import { withPorts, type PlantedBug } from '../planted-bug.ts';

/** What comes is added to what is there, as if every message came once and said only what is new. */
export const counterAggregation: PlantedBug = {
  name: 'counter aggregation',
  story: 'backAgain',
  ports: (ports) => withPorts(ports, { aggregates: adding(ports.aggregates) }),
};

function adding(store: AggregateStore): AggregateStore {
  return {
    read: (sheets) => store.read(sheets),
    write: async (writes) => {
      const added = [];
      for (const write of writes) {
        added.push({ ...write, batch: await plusStored(store, write.batch) });
      }
      return store.write(added);
    },
  };
}

async function plusStored(store: AggregateStore, batch: AggregateBatch): Promise<AggregateBatch> {
  const builder = new AggregateBatchBuilder();
  for (const sheet = new SheetCursor(batch); sheet.next();) {
    builder.copy(sheet);
  }
  const sum = builder.finish(batch);
  for (const sheet = new SheetCursor(sum); sheet.next();) {
    const window = { fromMs: sheet.startMs, toMs: sheet.startMs + 1 };
    const { tenant, level } = batch;
    const stored = await store.read({ tenant, level, ...sheet.series, ...window });
    addRows(sum, sheet, stored);
  }
  return sum;
}

/** The low parts alone: the proof's sums are small. */
function addRows(sum: AggregateBatch, { rowsFrom, rowsTo }: SheetCursor, stored: AggregateBatch): void {
  for (let row = rowsFrom; row < rowsTo; row++) {
    const before = stored.rows.hour.indexOf(sum.rows.hour[row] as number);
    if (before >= 0) {
      const scale = 10 ** (sum.decimals - stored.decimals);
      sum.rows.sumLow[row] = (sum.rows.sumLow[row] as number) + (stored.rows.sumLow[before] as number) * scale;
    }
  }
}
