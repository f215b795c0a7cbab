import {
  dayMax,
  dayMs,
  SegmentColumnsReader,
  SegmentMerger,
  segmentWithin,
  type Segment,
  type SeriesDays,
} from '@meterflow/idempotent-writes';
import type { Table } from '../client/table.ts';
import { dayOf, seriesPrefix, withDay } from '../rows/series-key.ts';
import type { Tombstones } from '../rows/tombstones.ts';
import type { StoredRow } from '../wire/read-rows.ts';
import { asOf } from './as-of.ts';
import { latestBlobs, standingCells, type SegmentCell } from './row-cells.ts';
import { cellsOfLayer } from './segment-cell.ts';
import { originals } from './originals.ts';

/** Makes of a day's cells the blob that is asked for; undefined for none. */
type Choose = (cells: readonly SegmentCell[], day: number) => Uint8Array | undefined;

/** Reads series-days. Several reads may be under way at the same time. */
export class ReadingReader {
  readonly #table: Table;
  readonly #tombstones: Tombstones;
  readonly #merger = new SegmentMerger();

  constructor(table: Table, tombstones: Tombstones) {
    this.#table = table;
    this.#tombstones = tombstones;
  }

  /** See ReadingStore. */
  read(days: SeriesDays): Promise<Segment[]> {
    return this.#read(days, { history: false, choose: (cells, day) => this.#latest(latestBlobs(cells), day) });
  }

  /** What was superseded. */
  history(days: SeriesDays): Promise<Segment[]> {
    return this.#read(days, {
      history: true,
      choose: (cells, day) =>
        this.#merger.merge(
          originals(cells).map(({ blob }) => blob),
          day,
        ).replaced,
    });
  }

  /** What was known at an instant: the latest among what had been accepted by then. */
  asOf(days: SeriesDays, instantMs: number): Promise<Segment[]> {
    return this.#read(days, {
      history: true,
      choose: (cells, day) => this.#latest(asOf(originals(cells), { instantMs, day }), day),
    });
  }

  /** The latest readings of one row. */
  latestOf(cells: readonly SegmentCell[], day: number): Uint8Array | undefined {
    return this.#latest(latestBlobs(cells), day);
  }

  #latest(blobs: readonly Uint8Array[], day: number): Uint8Array | undefined {
    return blobs.length === 0 ? undefined : this.#merger.latest(blobs, day);
  }

  async #read(days: SeriesDays, how: { readonly history: boolean; readonly choose: Choose }): Promise<Segment[]> {
    const { tenant, meter, channel, layer, fromMs, toMs } = days;
    const fromDay = Math.max(0, Math.floor(fromMs / dayMs));
    const toDay = Math.min(dayMax, Math.ceil(toMs / dayMs));
    if (!(fromMs < toMs) || fromDay >= toDay) {
      return [];
    }
    const prefix = seriesPrefix(days);
    const keys = this.#tombstones.keys(tenant, meter);
    const rows = await this.#table.read({
      keys,
      ranges: [{ from: withDay(prefix, fromDay), to: withDay(prefix, toDay) }],
      filter: this.#tombstones.beside(cellsOfLayer(layer, how)),
    });
    const { erasedTo, dayRows } = this.#split(rows, keys, channel);
    const columns = new SegmentColumnsReader();
    return dayRows.flatMap((row) => {
      const day = dayOf(row.key);
      const blob = how.choose(standingCells(row, erasedTo), day);
      const sets = blob === undefined ? [] : columns.read(blob, day);
      return sets.flatMap((set) => segmentWithin({ day, columns: set }, fromMs, toMs) ?? []);
    });
  }

  #split(
    rows: readonly StoredRow[],
    [tenantRow, meterRow]: readonly [Buffer, Buffer],
    channel: string,
  ): { readonly erasedTo: number; readonly dayRows: readonly StoredRow[] } {
    let erasedTo = -1;
    const dayRows = rows.filter((row) => {
      if (row.key.equals(tenantRow)) {
        erasedTo = Math.max(erasedTo, this.#tombstones.ofTenant(row).all);
        return false;
      }
      if (row.key.equals(meterRow)) {
        erasedTo = Math.max(erasedTo, this.#tombstones.ofChannel(row, channel));
        return false;
      }
      return true;
    });
    return { erasedTo, dayRows };
  }
}
