import { hash } from 'node:crypto';
import { CorruptSegmentError, dayMs, type DayExtent } from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import { MessageReader } from '../wire/message-reader.ts';
import type { ReverseWriter } from '../wire/reverse-writer.ts';
import { tables } from '../schema.ts';
import { anyOf, inQualifiers, type RowFilter } from '../wire/row-filter.ts';

/**
 * A cell of a series-day:
 *
 *     qualifier: layer, class of its extent, first slot (ms within the day: 4 bytes), 8 bytes of the value's SHA-256
 *     timestamp: the start of the day
 *     value: format, kind, from format 2 on what a newer build adds and its length before it, then
 *       segment: acceptedAtMs, a blob as idempotent-writes makes them
 *       latest:  acceptedAtMs of the first and the last batch in it, a blob
 *       history: count, each: acceptedAtMs, length, blob
 */
const cellFormat = 1;
/** The newest format that this build reads, one ahead of its own: it may only have added in the place that is kept for it. */
const cellFormatMax = cellFormat + 1;
const extendedFromFormat = 2;
const segmentKind = 0;
export const latestKind = 1;
export const historyKind = 2;

const hourMs = 3_600_000;
/** By class: what lies between the starts of a segment's first and last reading is below this. 0: they are one. */
const extentsMs = [1, hourMs, 6 * hourMs, dayMs] as const;
const historyClass = 0xff;
const qualifierHeadBytes = 6;
const contentHashBytes = 8;

export function layerNumber(layer: Layer): number {
  return layer === 'raw' ? 0 : 1;
}

/** The start of the day, in microseconds. */
export function dayMicros(day: number): number {
  return day * dayMs * 1_000;
}

export interface CellPlace {
  readonly layer: number;
  readonly day: number;
  /** Where its readings lie; absent for history. */
  readonly extent?: DayExtent;
}

export function qualifierOf({ layer, day, extent }: CellPlace, value: Uint8Array): Buffer {
  const qualifier = Buffer.allocUnsafe(qualifierHeadBytes + contentHashBytes);
  qualifier[0] = layer;
  qualifier[1] = extent === undefined ? historyClass : classOf(extent.lastMs - extent.firstMs);
  qualifier.writeUInt32BE(extent === undefined ? 0 : extent.firstMs - day * dayMs, 2);
  hash('sha256', value, 'buffer').copy(qualifier, qualifierHeadBytes, 0, contentHashBytes);
  return qualifier;
}

function classOf(extentMs: number): number {
  let extentClass = 0;
  while (extentMs >= (extentsMs[extentClass] ?? Infinity)) {
    extentClass += 1;
  }
  return extentClass;
}

/** Cells that may hold a reading which starts within [fromMs, toMs] of its day, history apart. */
export function segmentsWithin(layer: Layer, fromMs: number, toMs: number): RowFilter {
  const at = (extentClass: number, ms: number): Buffer => {
    const bound = Buffer.allocUnsafe(qualifierHeadBytes);
    bound[0] = layerNumber(layer);
    bound[1] = extentClass;
    bound.writeUInt32BE(Math.max(0, ms), 2);
    return bound;
  };
  const family = tables.readings.segments;
  return anyOf(
    ...extentsMs.map((belowMs, extentClass) =>
      inQualifiers({ family, from: at(extentClass, fromMs - belowMs + 1), to: at(extentClass, toMs + 1) }),
    ),
  );
}

/** All cells of the layer that hold what is latest, and with `history` also what is not. */
export function cellsOfLayer(layer: Layer, { history }: { readonly history: boolean }): RowFilter {
  const number = layerNumber(layer);
  const to = history ? Buffer.of(number + 1) : Buffer.of(number, extentsMs.length);
  return inQualifiers({ family: tables.readings.segments, from: Buffer.of(number), to });
}

/** A blob, and when what it holds was accepted. */
export interface AcceptedSegment {
  readonly acceptedFromMs: number;
  readonly acceptedToMs: number;
  readonly blob: Buffer;
}

/** A cell's value, decoded: a history cell holds several segments. */
export interface DecodedCell {
  readonly kind: typeof segmentKind | typeof latestKind | typeof historyKind;
  readonly segments: readonly AcceptedSegment[];
}

/** Throws CorruptSegmentError for what no build wrote. */
export function decodeCell(value: Buffer): DecodedCell {
  const reader = new MessageReader(value, 2);
  const [format = 0, kind] = value;
  if (format < 1 || format > cellFormatMax) {
    throw new CorruptSegmentError(`a cell of format ${format}; this build reads 1 to ${cellFormatMax}`);
  }
  try {
    if (format >= extendedFromFormat) {
      reader.view();
    }
    switch (kind) {
      case segmentKind: {
        const acceptedAtMs = reader.varint();
        return { kind, segments: [segmentOf([acceptedAtMs, acceptedAtMs], value.subarray(reader.position))] };
      }
      case latestKind: {
        const accepted = [reader.varint(), reader.varint()] as const;
        return { kind, segments: [segmentOf(accepted, value.subarray(reader.position))] };
      }
      case historyKind: {
        const count = reader.varint();
        const segments: AcceptedSegment[] = [];
        for (let segment = 0; segment < count; segment++) {
          const acceptedAtMs = reader.varint();
          segments.push(segmentOf([acceptedAtMs, acceptedAtMs], reader.view()));
        }
        return { kind, segments };
      }
      case undefined:
      default:
        throw new CorruptSegmentError(`a cell of the unknown kind ${kind}`);
    }
  } catch (error) {
    throw error instanceof CorruptSegmentError ? error : new CorruptSegmentError('a cell that ends too early');
  }
}

function segmentOf([acceptedFromMs, acceptedToMs]: readonly [number, number], blob: Buffer): AcceptedSegment {
  return { acceptedFromMs, acceptedToMs, blob };
}

/** Writes a segment's value; see `ReverseWriter`. */
export function writeSegment(writer: ReverseWriter, acceptedAtMs: number, blob: Uint8Array): void {
  writer.raw(blob);
  writer.varint(acceptedAtMs);
  writer.byte(segmentKind);
  writer.byte(cellFormat);
}

export function writeLatest(writer: ReverseWriter, { acceptedFromMs, acceptedToMs, blob }: AcceptedSegment): void {
  writer.raw(blob);
  writer.varint(acceptedToMs);
  writer.varint(acceptedFromMs);
  writer.byte(latestKind);
  writer.byte(cellFormat);
}

export function writeHistory(writer: ReverseWriter, segments: readonly AcceptedSegment[]): void {
  for (const { acceptedToMs, blob } of segments.toReversed()) {
    writer.raw(blob);
    writer.varint(blob.length);
    writer.varint(acceptedToMs);
  }
  writer.varint(segments.length);
  writer.byte(historyKind);
  writer.byte(cellFormat);
}
