import {
  dayMax,
  dayMs,
  SegmentColumnsReader,
  SegmentMerger,
  segmentWithin,
  type KnownBy,
  type Segment,
  type SeriesDays,
} from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import { Gathered } from '../client/gathered.ts';
import type { RowTable } from '../client/table.ts';
import { readSeries, type SeriesRange, type SeriesRows } from '../rows/read-series.ts';
import { dayOf, seriesPrefix, withDay } from '../rows/series-key.ts';
import type { Tombstones } from '../rows/tombstones.ts';
import { asOf } from './as-of.ts';
import { latestBlobs, standingCells, type SegmentCell } from './row-cells.ts';
import { cellsOfLayer } from './segment-cell.ts';
import { originals } from './originals.ts';

/** Makes of a day's cells the blob that is asked for; undefined for none. */
type Choose = (cells: readonly SegmentCell[], day: number) => Uint8Array | undefined;

/** Days and their series. */
interface Asked extends SeriesRange {
  readonly days: number;
}

export interface ReadingReaderParts {
  readonly table: RowTable;
  readonly tombstones: Tombstones;
  readonly layer: Layer;
}

/** What one call reads at most: rows of so many days. */
const daysTogetherMax = 4_000;

/** Reads series-days of one layer. Reads that are asked for at the same time go to the service together. */
export class ReadingReader {
  readonly #latestRows: Gathered<Asked, SeriesRows>;
  readonly #allRows: Gathered<Asked, SeriesRows>;
  readonly #merger = new SegmentMerger();
  readonly #columns = new SegmentColumnsReader();

  constructor(parts: ReadingReaderParts) {
    const { tombstones, layer } = parts;
    const limits = { weightMax: daysTogetherMax, weightOf: ({ days }: Asked) => days };
    const rows = (history: boolean): Gathered<Asked, SeriesRows> => {
      const filter = tombstones.beside(cellsOfLayer(layer, { history }));
      return new Gathered((asked) => readSeries(parts, asked, filter), limits);
    };
    this.#latestRows = rows(false);
    this.#allRows = rows(true);
  }

  /** See ReadingStore. */
  read(days: SeriesDays): Promise<Segment[]> {
    return this.#read(days, this.#latestRows, (cells, day) => this.#latest(latestBlobs(cells), day));
  }

  /** What was superseded. */
  history(days: SeriesDays): Promise<Segment[]> {
    return this.#read(days, this.#allRows, (cells, day) => {
      const blobs = originals(cells).map(({ blob }) => blob);
      return this.#merger.merge(blobs, day).replaced;
    });
  }

  /** The latest of what was known. */
  asOf(days: SeriesDays, known: KnownBy): Promise<Segment[]> {
    return this.#read(days, this.#allRows, (cells, day) => this.#latest(asOf(originals(cells), { known, day }), day));
  }

  #latest(blobs: readonly Uint8Array[], day: number): Uint8Array | undefined {
    return blobs.length === 0 ? undefined : this.#merger.latest(blobs, day);
  }

  async #read(days: SeriesDays, from: Gathered<Asked, SeriesRows>, choose: Choose): Promise<Segment[]> {
    const { fromMs, toMs } = days;
    const fromDay = Math.max(0, Math.floor(fromMs / dayMs));
    const toDay = Math.min(dayMax, Math.ceil(toMs / dayMs));
    if (!(fromMs < toMs) || fromDay >= toDay) {
      return [];
    }
    const prefix = seriesPrefix(days);
    const { rows, erasedTo } = await from.ask({
      series: days,
      days: toDay - fromDay,
      from: withDay(prefix, fromDay),
      to: withDay(prefix, toDay),
    });
    return rows.flatMap((row) => {
      const day = dayOf(row.key);
      const blob = choose(standingCells(row, erasedTo), day);
      const sets = blob === undefined ? [] : this.#columns.read(blob, day);
      return sets.flatMap((set) => segmentWithin({ day, columns: set }, fromMs, toMs) ?? []);
    });
  }
}
