import type { NamedSeries } from '@meterflow/idempotent-writes';
import type { RowTable } from '../client/table.ts';
import type { KeyRange, StoredRow } from '../wire/read-rows.ts';
import type { RowFilter } from '../wire/row-filter.ts';
import type { Tombstones } from './tombstones.ts';

/** Some of the rows of a series. */
export interface SeriesRange extends KeyRange {
  readonly series: NamedSeries;
}

export interface SeriesRows {
  /** In the order of their keys. */
  readonly rows: readonly StoredRow[];
  /** What is at or below this was erased; -1 for nothing. */
  readonly erasedTo: number;
}

/** Reads rows of many series, and what was erased of them, with one call. `filter` passes tombstones as well. */
export async function readSeries(
  { table, tombstones }: { readonly table: RowTable; readonly tombstones: Tombstones },
  ranges: readonly SeriesRange[],
  filter: RowFilter,
): Promise<SeriesRows[]> {
  const stones = ranges.map(({ series }) => tombstones.keys(series.tenant, series.meter));
  const keys = new Map(stones.flat().map((key) => [key.toString('latin1'), key]));
  const all = await table.read({ keys: [...keys.values()], ranges, filter });
  const row = (key: Buffer): StoredRow | undefined => {
    const found = all[firstFrom(all, key)];
    return found?.key.equals(key) === true ? found : undefined;
  };
  return ranges.map(({ series, from, to }, index) => {
    const [ofTenant, ofMeter] = (stones[index] as readonly Buffer[]).map(row);
    const tenantTo = ofTenant === undefined ? -1 : tombstones.ofTenant(ofTenant).all;
    const channelTo = ofMeter === undefined ? -1 : tombstones.ofChannel(ofMeter, series.channel);
    return { rows: all.slice(firstFrom(all, from), firstFrom(all, to)), erasedTo: Math.max(tenantTo, channelTo) };
  });
}

/** The index of the first row whose key is this one or behind it. */
function firstFrom(rows: readonly StoredRow[], key: Uint8Array): number {
  let from = 0;
  let to = rows.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((rows[middle] as StoredRow).key.compare(key) < 0) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}
