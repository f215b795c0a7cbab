import type { RowTable } from '../client/table.ts';
import type { StoredRow } from '../wire/read-rows.ts';
import { parseSeriesKey } from './series-key.ts';
import type { NamedSeries } from '@meterflow/idempotent-writes';
import type { Tombstones } from './tombstones.ts';

/** A row of a series, and what of it was erased. */
export interface SeriesRow {
  readonly row: StoredRow;
  readonly series: NamedSeries;
  /** What is at or below this was erased. */
  readonly erasedTo: number;
}

/**
 * Gives rows of series their tombstones, which are read after the rows: an erasure that these don't tell of comes later,
 * and deletes what is made of these rows meanwhile.
 */
export async function withErasures(
  table: Pick<RowTable, 'read'>,
  tombstones: Tombstones,
  rows: readonly StoredRow[],
): Promise<readonly SeriesRow[]> {
  const named = rows.flatMap((row) => {
    const parsed = parseSeriesKey(row.key);
    return parsed === undefined ? [] : [{ row, series: parsed.series }];
  });
  const keys = new Map<string, Buffer>();
  for (const { series } of named) {
    for (const key of tombstones.keys(series.tenant, series.meter)) {
      keys.set(text(key), key);
    }
  }
  const stones = await table.read({ keys: [...keys.values()], filter: tombstones.filter });
  const byKey = new Map(stones.map((row) => [text(row.key), row]));
  return named.map(({ row, series }) => {
    const [ofTenant, ofMeter] = tombstones.keys(series.tenant, series.meter).map((key) => byKey.get(text(key)));
    const tenantTo = ofTenant === undefined ? -1 : tombstones.ofTenant(ofTenant).all;
    const channelTo = ofMeter === undefined ? -1 : tombstones.ofChannel(ofMeter, series.channel);
    return { row, series, erasedTo: Math.max(tenantTo, channelTo) };
  });
}

function text(key: Buffer): string {
  return key.toString('latin1');
}
