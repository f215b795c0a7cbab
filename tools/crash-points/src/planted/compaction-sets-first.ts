import { withPorts, type PlantedBug } from '../planted-bug.ts';
import type { CrashPorts } from '../world.ts';

/**
 * A closed day is compacted by one row mutation that sets the new segment and then deletes the cells it was made of: where
 * the result equals one of them, as when a merged batch comes once more, it is gone.
 */
export const compactionSetsFirst: PlantedBug = {
  name: 'compaction that sets before it deletes',
  story: 'compaction',
  only: { adapters: ['memory', 'google'], because: 'these stores merge as they write, and have nothing to compact' },
  ports: (ports) => withPorts(ports, { rows: ports.rows && settingFirst(ports.rows) }),
};

type Rows = NonNullable<CrashPorts['rows']>;

function settingFirst(rows: Rows): Rows {
  return {
    read: (options) => rows.read(options),
    scan: (...span) => rows.scan(...span),
    mutate: (changes) =>
      rows.mutate(
        changes.map(({ key, mutations }) => ({
          key,
          mutations: mutations.toSorted((a, b) => Number('set' in b) - Number('set' in a)),
        })),
      ),
  };
}
