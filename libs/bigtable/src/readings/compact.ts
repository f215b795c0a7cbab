import { CorruptSegmentError, dayMs, SegmentMerger } from '@meterflow/idempotent-writes';
import { layers } from '@meterflow/readings';
import { requestMutationsMax } from '../client/limits.ts';
import type { RowChange, RowTable } from '../client/table.ts';
import { dayOf } from '../rows/series-key.ts';
import { Tombstones } from '../rows/tombstones.ts';
import { withErasures, type SeriesRow } from '../rows/with-erasures.ts';
import { tables } from '../schema.ts';
import type { Mutation } from '../wire/mutations.ts';
import type { StoredRow } from '../wire/read-rows.ts';
import { chain, inQualifiers, inTime } from '../wire/row-filter.ts';
import { compactionOf } from './compact-row.ts';
import { standingCells } from './row-cells.ts';
import { dayMicros, layerNumber } from './segment-cell.ts';

export interface CompactionSpan {
  /** Rows whose keys lie in [from, to); all of them without it. */
  readonly keys?: { readonly from: Uint8Array; readonly to: Uint8Array };
  /** UTC days that begin in [fromMs, closedBeforeMs): closed ones, to which little will be written any more. */
  readonly fromMs: number;
  readonly closedBeforeMs: number;
  /**
   * Rows with something accepted later wait: an erasure covers all that was accepted up to its instant, and a merged cell
   * must not mix that with what came after. An hour back is long enough: an erasure sets its tombstone at once.
   */
  readonly acceptedBeforeMs: number;
  readonly signal?: AbortSignal;
}

export interface Compacted {
  readonly rowsSeen: number;
  readonly rowsChanged: number;
  readonly cellsRemoved: number;
  readonly cellsSet: number;
  /** Rows that stay as they are: what no build wrote is in them, or more than one change may delete. */
  readonly rowsSkipped: number;
}

/** What a compaction does to the world: it reads rows, and changes each by what it has read. */
export type CompactionTable = Pick<RowTable, 'scan' | 'read' | 'mutate'>;

const pageRows = 500;
const allKeys = { from: Buffer.of(0), to: Buffer.alloc(0) };

/** Compacts both layers of closed days of the table of readings; see `compactDays`. */
export function compactReadings(table: CompactionTable, span: CompactionSpan): Promise<Compacted> {
  return compactDays(table, new Tombstones(tables.readings.tombstones), span);
}

/**
 * Compacts the rows of closed days. May be ended anywhere, be run again, and by several at a time: each row is changed in
 * one step that deletes just what was read, and its result is read as its parts were.
 */
export async function compactDays(
  table: CompactionTable,
  tombstones: Tombstones,
  { keys = allKeys, fromMs, closedBeforeMs, acceptedBeforeMs, signal }: CompactionSpan,
): Promise<Compacted> {
  const merger = new SegmentMerger();
  const done = { rowsSeen: 0, rowsChanged: 0, cellsRemoved: 0, cellsSet: 0, rowsSkipped: 0 };
  const fromMicros = Math.max(dayMicros(Math.ceil(fromMs / dayMs)), 1_000);
  const filter = chain(
    inQualifiers({ family: tables.readings.segments }),
    inTime(fromMicros, dayMicros(Math.ceil(closedBeforeMs / dayMs))),
  );
  const compactPage = async (page: readonly StoredRow[]): Promise<void> => {
    const rows = await withErasures(table, tombstones, page);
    const asked = rows.map((row) => changeOf(row, { merger, acceptedBeforeMs }));
    const changes = asked.filter((change) => change !== undefined).filter(({ mutations }) => mutations.length > 0);
    done.rowsSkipped += asked.filter((change) => change === undefined).length;
    await table.mutate(changes);
    const mutations = changes.flatMap((change) => change.mutations);
    const cellsSet = mutations.filter((mutation) => 'set' in mutation).length;
    done.rowsSeen += rows.length;
    done.rowsChanged += changes.length;
    done.cellsSet += cellsSet;
    done.cellsRemoved += mutations.length - cellsSet;
  };
  let page: StoredRow[] = [];
  for await (const row of table.scan(keys, filter, pageRows)) {
    if (signal?.aborted === true) {
      break;
    }
    page.push(row);
    if (page.length === pageRows) {
      await compactPage(page);
      page = [];
    }
  }
  await compactPage(page);
  return done;
}

interface HowToCompact {
  readonly merger: SegmentMerger;
  readonly acceptedBeforeMs: number;
}

/** Undefined for a row that can't be compacted: it stays as it is, and others go on. */
function changeOf(row: SeriesRow, how: HowToCompact): RowChange | undefined {
  try {
    const mutations = mutationsOf(row, how);
    return mutations.length > requestMutationsMax ? undefined : { key: row.row.key, mutations };
  } catch (error) {
    if (error instanceof CorruptSegmentError) {
      return undefined;
    }
    throw error;
  }
}

function mutationsOf({ row, erasedTo }: SeriesRow, { merger, acceptedBeforeMs }: HowToCompact): Mutation[] {
  const mutations: Mutation[] = [];
  for (const layer of layers) {
    const number = layerNumber(layer);
    const read = row.cells.filter(({ qualifier }) => qualifier[0] === number);
    const all = standingCells({ key: row.key, cells: read }, -1);
    const standing = standingCells({ key: row.key, cells: read }, erasedTo);
    if (all.some(({ segments }) => segments.some(({ acceptedToMs }) => acceptedToMs >= acceptedBeforeMs))) {
      continue;
    }
    const isErased = segmentsOf(standing) < segmentsOf(all);
    mutations.push(...compactionOf({ layer: number, day: dayOf(row.key), read, standing, isErased }, merger));
  }
  return mutations;
}

function segmentsOf(cells: readonly { readonly segments: readonly unknown[] }[]): number {
  return cells.reduce((sum, { segments }) => sum + segments.length, 0);
}
