import type { OutcomeCounts, ReadingStore, ReadingWrite, Segment, SeriesDays } from '@meterflow/idempotent-writes';
import { MemoryReadingStore } from '@meterflow/idempotent-writes/memory';
import type { Layer } from '@meterflow/readings';
import type { MemoryLedger } from './memory-ledger.ts';

/** One layer's readings in memory, merged as every store merges them, with their ledger rows. */
export class MemoryReadings implements ReadingStore {
  readonly #layer: Layer;
  readonly #ledger: MemoryLedger;
  readonly #store = new MemoryReadingStore();

  constructor(layer: Layer, ledger: MemoryLedger) {
    this.#layer = layer;
    this.#ledger = ledger;
  }

  async write(writes: readonly ReadingWrite[]): Promise<readonly OutcomeCounts[]> {
    const results = await this.#store.write(writes);
    writes.forEach(({ key, batch }, index) => {
      const cause = batch.cause ?? { sourceId: batch.sourceId, key, part: 0, parts: 1 };
      this.#ledger.add(cause, this.#layer, results[index] as OutcomeCounts);
    });
    return results;
  }

  read(days: SeriesDays): Promise<readonly Segment[]> {
    return this.#store.read(days);
  }
}
