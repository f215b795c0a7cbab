import type { ErasureScope } from '@meterflow/idempotent-writes';
import type { RowTable } from '../client/table.ts';
import type { KeyRange, StoredRow } from '../wire/read-rows.ts';
import type { RowFilter } from '../wire/row-filter.ts';
import { under } from './key-hash.ts';
import { meterKey, seriesPrefix } from './series-key.ts';

/** Ranges of one read: a tenant's rows lie under every hash. */
const rangesPerRead = 4_096;
const hashes = 65_536;

/** All rows of a tenant, a meter or a series, page by page: series by series, each in the order of its keys. */
export async function* rowsUnder(
  table: RowTable,
  scope: ErasureScope,
  { filter, pageRows }: { readonly filter: RowFilter; readonly pageRows: number },
): AsyncGenerator<readonly StoredRow[]> {
  for (const ranges of rangesOf(scope)) {
    let left: readonly KeyRange[] = ranges;
    while (left.length > 0) {
      const found = await table.read({ ranges: left, filter, rowsMax: pageRows });
      yield found;
      const last = found.at(-1);
      left = last === undefined || found.length < pageRows ? [] : behind(left, last.key);
    }
  }
}

function behind(ranges: readonly KeyRange[], key: Buffer): readonly KeyRange[] {
  const next = Buffer.concat([key, Buffer.of(0)]);
  return ranges
    .filter(({ to }) => next.compare(to) < 0)
    .map(({ from, to }) => ({ from: next.compare(from) > 0 ? next : from, to }));
}

function rangesOf({ tenant, series }: ErasureScope): KeyRange[][] {
  if (series !== undefined) {
    const { meter, channel } = series;
    return [[under(channel === undefined ? meterKey(tenant, meter) : seriesPrefix({ tenant, meter, channel }))]];
  }
  const all = Array.from({ length: hashes }, (_, hash) => {
    const prefix = Buffer.from(`\0\0${tenant}\0`);
    prefix.writeUInt16BE(hash);
    return under(prefix);
  });
  return Array.from({ length: hashes / rangesPerRead }, (_, read) =>
    all.slice(read * rangesPerRead, (read + 1) * rangesPerRead),
  );
}
