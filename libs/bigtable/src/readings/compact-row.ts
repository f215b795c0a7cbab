import type { SegmentMerger } from '@meterflow/idempotent-writes';
import { cellBytesMax } from '../client/limits.ts';
import { tables } from '../schema.ts';
import type { Mutation } from '../wire/mutations.ts';
import type { StoredCell } from '../wire/read-rows.ts';
import { ReverseWriter } from '../wire/reverse-writer.ts';
import { originals } from './originals.ts';
import { latestBlobs, type SegmentCell } from './row-cells.ts';
import { dayMicros, qualifierOf, writeHistory, writeLatest } from './segment-cell.ts';

export interface LayerCells {
  readonly layer: number;
  readonly day: number;
  /** All that was read of the layer. */
  readonly read: readonly StoredCell[];
  /** What of it was not erased. */
  readonly standing: readonly SegmentCell[];
  /** True where a part of it was. */
  readonly isErased: boolean;
}

/**
 * One layer of a row as two cells: the latest readings and, where something was superseded, all that was accepted, as it
 * was. Deletes come first and name just the cells that were read: what is written meanwhile stays, and a result that
 * equals an input is there in the end. Empty where there is nothing to gain.
 */
export function compactionOf(cells: LayerCells, merger: SegmentMerger): Mutation[] {
  const { read, standing, isErased } = cells;
  if (!isErased && latestBlobs(standing).length < 2) {
    return [];
  }
  const family = tables.readings.segments;
  const micros = dayMicros(cells.day);
  const sets = standing.length === 0 ? [] : mergedCells(cells, merger);
  if (sets.some(({ value }) => value.length > cellBytesMax)) {
    return [];
  }
  return [
    ...read.map(({ qualifier, micros: at }): Mutation => ({ remove: { family, qualifier, micros: at } })),
    ...sets.map((set): Mutation => ({ set: { family, micros, ...set } })),
  ];
}

interface NewCell {
  readonly qualifier: Buffer;
  readonly value: Buffer;
}

function mergedCells({ layer, day, standing }: LayerCells, merger: SegmentMerger): NewCell[] {
  const segments = originals(standing);
  const merged = merger.merge(
    segments.map(({ blob }) => blob),
    day,
  );
  const latest = written((writer) => {
    writeLatest(writer, {
      acceptedFromMs: Math.min(...segments.map(({ acceptedFromMs }) => acceptedFromMs)),
      acceptedToMs: Math.max(...segments.map(({ acceptedToMs }) => acceptedToMs)),
      blob: Buffer.from(merged.blob),
    });
  });
  const cells = [{ qualifier: qualifierOf({ layer, day, extent: merged.extent }, latest), value: latest }];
  if (merged.replaced !== undefined) {
    const history = written((writer) => {
      writeHistory(writer, segments);
    });
    cells.push({ qualifier: qualifierOf({ layer, day }, history), value: history });
  }
  return cells;
}

function written(write: (writer: ReverseWriter) => void): Buffer {
  const writer = new ReverseWriter();
  write(writer);
  return Buffer.from(writer.view(0));
}
