import type { RowChange, RowTable } from '../client/table.ts';
import type { Mutation } from '../wire/mutations.ts';
import type { KeyRange, StoredCell, StoredRow } from '../wire/read-rows.ts';
import { anyOf, inQualifiers } from '../wire/row-filter.ts';
import { under } from './key-hash.ts';
import { meterKey, parseSeriesKey, seriesPrefix } from './series-key.ts';
import type { Erasure, ErasureScope, Tombstones } from './tombstones.ts';

/** How much was there. The proof of an erasure prints it. */
export interface ErasedRows {
  readonly series: number;
  readonly rows: number;
}

/** What of a table's cells an erasure covers. */
export interface ErasableCells {
  readonly families: readonly string[];
  readonly isCovered: (cell: StoredCell, upTo: number) => boolean;
}

const pageRows = 200;
/** Ranges of one read: a tenant's rows lie under every hash. */
const rangesPerRead = 4_096;
const hashes = 65_536;

/**
 * 1. The tombstone: from now on nothing at or below it is read; 2. the cells that it covers, each by its name: what is
 * newer stays. Erasing again goes on where it was ended.
 */
export async function eraseRows(
  table: RowTable,
  { tombstones, ...cells }: ErasableCells & { readonly tombstones: Tombstones },
  erasure: Erasure,
): Promise<ErasedRows> {
  await tombstones.put(table, erasure);
  return visitCovered(table, { ...cells, erasure }, async (changes) => {
    await table.mutate(changes);
  });
}

/** What an erasure up to this would find. */
export function foundRows(table: RowTable, cells: ErasableCells, erasure: Erasure): Promise<ErasedRows> {
  return visitCovered(table, { ...cells, erasure }, () => Promise.resolve());
}

async function visitCovered(
  table: RowTable,
  { families, isCovered, erasure }: ErasableCells & { readonly erasure: Erasure },
  visit: (changes: readonly RowChange[]) => Promise<void>,
): Promise<ErasedRows> {
  const series = new Set<string>();
  let rows = 0;
  const filter = anyOf(...families.map((family) => inQualifiers({ family })));
  for (const ranges of rangesOf(erasure)) {
    for await (const page of pages(table, ranges, filter)) {
      const changes = page.flatMap(({ key, cells }): RowChange[] => {
        const covered = cells.filter((cell) => isCovered(cell, erasure.upTo));
        return covered.length === 0 ? [] : [{ key: Buffer.from(key), mutations: covered.map(removal) }];
      });
      for (const { key } of changes) {
        series.add(JSON.stringify(parseSeriesKey(Buffer.from(key))?.series));
      }
      rows += changes.length;
      await visit(changes);
    }
  }
  return { series: series.size, rows };
}

function removal({ family, qualifier, micros }: StoredCell): Mutation {
  return { remove: { family, qualifier, micros } };
}

async function* pages(
  table: RowTable,
  ranges: readonly KeyRange[],
  filter: Uint8Array,
): AsyncGenerator<readonly StoredRow[]> {
  let left = ranges;
  while (left.length > 0) {
    const found = await table.read({ ranges: left, filter, rowsMax: pageRows });
    yield found;
    const last = found.at(-1);
    if (last === undefined || found.length < pageRows) {
      return;
    }
    const next = Buffer.concat([last.key, Buffer.of(0)]);
    left = left
      .filter(({ to }) => next.compare(to) < 0)
      .map(({ from, to }) => ({ from: next.compare(from) > 0 ? next : from, to }));
  }
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
