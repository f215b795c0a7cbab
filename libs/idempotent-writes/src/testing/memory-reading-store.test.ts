import fc from 'fast-check';
import { plainReading } from '@meterflow/readings/testing';
import { expect, test } from 'vitest';
import { describeReadingStore } from './describe-reading-store.ts';
import { MemoryReadingStore } from './memory-reading-store.ts';
import { plainBatches, writesOf } from './plain-state.ts';

const nothing = (): Promise<void> => Promise.resolve();
describeReadingStore('MemoryReadingStore', () => Promise.resolve({ store: new MemoryReadingStore(), close: nothing }));
describeReadingStore('MemoryReadingStore, the general way alone', () =>
  Promise.resolve({ store: new MemoryReadingStore({ generalOnly: true }), close: nothing }),
);

test('the ways of merging agree byte for byte: blobs, outcomes and what was replaced', async () => {
  const tame = plainReading.map((reading) => ({
    ...reading,
    lengthMs: 900_000,
    startMs: reading.startMs - (reading.startMs % 900_000),
  }));
  const property = fc.asyncProperty(fc.oneof(plainBatches(tame), plainBatches(plainReading)), async (batches) => {
    const [fast, general] = [new MemoryReadingStore(), new MemoryReadingStore({ generalOnly: true })];
    for (const batch of batches) {
      const writes = writesOf(batch);
      expect(await fast.write(writes)).toEqual(await general.write(writes));
    }
    expect(fast.blobs).toEqual(general.blobs);
    expect(fast.history).toEqual(general.history);
  });
  await fc.assert(property, { numRuns: 300 });
});
