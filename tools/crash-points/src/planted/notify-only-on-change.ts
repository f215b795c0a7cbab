import { decodeStoredNotice } from '@meterflow/contracts';
import type { ReadingStore, ReadingWrite } from '@meterflow/idempotent-writes';
import { canonicalReading, ReadingCursor } from '@meterflow/readings';
import type { OutgoingMessage } from '@meterflow/stage';
import { withPorts, type PlantedBug } from '../planted-bug.ts';

/** A batch that changed nothing is told to nobody; not either when it was this batch's own earlier try that changed it. */
export const notifyOnlyOnChange: PlantedBug = {
  name: 'notify only on change',
  story: 'corrections',
  ports: (ports) => {
    const unchanged = new Set<string>();
    return withPorts(ports, {
      readings: (layer) => noting(ports.readings(layer), unchanged),
      publisher: {
        publish: (messages) => ports.publisher.publish(messages.filter((message) => !isAbout(message, unchanged))),
      },
    });
  },
};

function noting(store: ReadingStore, unchanged: Set<string>): ReadingStore {
  return {
    read: (days) => store.read(days),
    firstMs: (series) => store.firstMs(series),
    write: async (writes) => {
      const before = await Promise.all(writes.map((write) => stateOf(store, write)));
      const outcomes = await store.write(writes);
      const after = await Promise.all(writes.map((write) => stateOf(store, write)));
      writes.forEach(({ key }, index) => {
        if (before[index] === after[index]) {
          unchanged.add(key);
        }
      });
      return outcomes;
    },
  };
}

async function stateOf(store: ReadingStore, { batch: { tenant, layer, series } }: ReadingWrite): Promise<string> {
  const rows: string[] = [];
  for (const { meter, channel } of series) {
    for (const { columns } of await store.read({ tenant, layer, meter, channel, fromMs: 0, toMs: 4e12 })) {
      for (const cursor = new ReadingCursor(columns); cursor.next();) {
        rows.push(JSON.stringify(canonicalReading(tenant, { meter, channel, layer }, cursor)));
      }
    }
  }
  return rows.join('\n');
}

function isAbout({ topic, payload }: OutgoingMessage, keys: ReadonlySet<string>): boolean {
  return topic.startsWith('readings.stored') && keys.has(decodeStoredNotice(payload).key);
}
