import type { Table } from '../client/table.ts';
import { anyOf, chain, firstCellOnly, inQualifiers, withoutValues } from '../wire/row-filter.ts';
import type { NamedSeries } from './named-series.ts';
import { parseSeriesKey } from './series-key.ts';

const pageRows = 10_000;

/** All series of a table, by tenant, meter and channel. They are in memory together: a scan meets them by their hash. */
export async function seriesOfTable(table: Table, families: readonly string[]): Promise<readonly NamedSeries[]> {
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

function compareSeries(a: NamedSeries, b: NamedSeries): number {
  return compareText(a.tenant, b.tenant) || compareText(a.meter, b.meter) || compareText(a.channel, b.channel);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
