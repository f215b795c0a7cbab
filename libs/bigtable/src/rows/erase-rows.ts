import type { Erased, Erasure } from '@meterflow/idempotent-writes';
import { requestMutationsMax } from '../client/limits.ts';
import type { RowChange, RowTable } from '../client/table.ts';
import type { Mutation } from '../wire/mutations.ts';
import type { StoredCell } from '../wire/read-rows.ts';
import { anyOf, inQualifiers } from '../wire/row-filter.ts';
import { rowsUnder } from './scope-rows.ts';
import { parseSeriesKey } from './series-key.ts';
import type { Tombstones } from './tombstones.ts';

/** What of a table's cells an erasure covers. */
export interface ErasableCells {
  readonly families: readonly string[];
  readonly isCovered: (cell: StoredCell, upTo: number) => boolean;
  /** True for what holds superseded readings. */
  readonly isHistory?: (cell: StoredCell) => boolean;
}

const pageRows = 200;

/**
 * 1. The tombstone: from now on nothing at or below it is read; 2. the cells that it covers, each by its name: what is
 * newer stays. Erasing again goes on where it was ended.
 */
export async function eraseRows(
  table: RowTable,
  { tombstones, ...cells }: ErasableCells & { readonly tombstones: Tombstones },
  erasure: Erasure,
): Promise<Erased> {
  await tombstones.put(table, erasure);
  return visitCovered(table, { ...cells, erasure }, async (changes) => {
    await table.mutate(changes);
  });
}

/** What an erasure up to this would find. */
export function foundRows(table: RowTable, cells: ErasableCells, erasure: Erasure): Promise<Erased> {
  return visitCovered(table, { ...cells, erasure }, () => Promise.resolve());
}

async function visitCovered(
  table: RowTable,
  { families, isCovered, isHistory, erasure }: ErasableCells & { readonly erasure: Erasure },
  visit: (changes: readonly RowChange[]) => Promise<void>,
): Promise<Erased> {
  const series = new Set<string>();
  let [rows, historyRows] = [0, 0];
  const filter = anyOf(...families.map((family) => inQualifiers({ family })));
  for await (const page of rowsUnder(table, erasure, { filter, pageRows })) {
    const changes: RowChange[] = [];
    for (const { key, cells } of page) {
      const covered = cells.filter((cell) => isCovered(cell, erasure.upTo));
      if (covered.length > 0) {
        series.add(JSON.stringify(parseSeriesKey(Buffer.from(key))?.series));
        rows += 1;
        historyRows += isHistory !== undefined && covered.some(isHistory) ? 1 : 0;
        changes.push(...removals(key, covered));
      }
    }
    await visit(changes);
  }
  return { series: series.size, rows, historyRows };
}

/** A row that has more cells than one change may name goes in several: each cell of it is gone by itself. */
function removals(key: Buffer, cells: readonly StoredCell[]): RowChange[] {
  const changes: RowChange[] = [];
  for (let from = 0; from < cells.length; from += requestMutationsMax) {
    const mutations = cells
      .slice(from, from + requestMutationsMax)
      .map(({ family, qualifier, micros }): Mutation => ({ remove: { family, qualifier, micros } }));
    changes.push({ key, mutations });
  }
  return changes;
}
