import { compareSeries, type NamedSeries } from '@meterflow/idempotent-writes';
import type { RowTable } from '../client/table.ts';
import { anyOf, chain, firstCellOnly, inQualifiers, withoutValues } from '../wire/row-filter.ts';
import { parseSeriesKey } from './series-key.ts';

const pageRows = 10_000;

/** All series of a table, by tenant, meter and channel. They are in memory together: a scan meets them by their hash. */
export async function seriesOfTable(table: RowTable, families: readonly string[]): Promise<readonly NamedSeries[]> {
  const found = new Map<string, NamedSeries>();
  const filter = chain(anyOf(...families.map((family) => inQualifiers({ family }))), firstCellOnly, withoutValues);
  let last = '';
  for await (const { key } of table.scan({ from: Buffer.of(0), to: Buffer.alloc(0) }, filter, pageRows)) {
    const parsed = parseSeriesKey(key);
    const name = parsed === undefined ? '' : key.toString('latin1', 0, parsed.restAt);
    if (parsed !== undefined && name !== last) {
      last = name;
      found.set(name, parsed.series);
    }
  }
  return [...found.values()].sort(compareSeries);
}
