import type { PlantedBug } from '../planted-bug.ts';

/**
 * A closed day is compacted by one row mutation that sets the new segment and then deletes the cells it was made of: where
 * the result equals one of them, it is gone. Only the Bigtable adapter compacts. No schedule compacts yet, so that the proof
 * misses this one, and says so.
 */
export const compactionSetsFirst: PlantedBug = {
  name: 'compaction that sets before it deletes',
  adapters: ['google'],
};
