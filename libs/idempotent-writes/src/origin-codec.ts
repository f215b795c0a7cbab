import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { CorruptSegmentError } from './corrupt-segment-error.ts';
import type { Origin } from './reading-history.ts';

/** Readings that follow each other in time and in their lines. */
export type OriginPiece = Omit<Origin, 'sourceId' | 'acceptedAtMs' | 'declared'>;

const format = 1;
const writer = new ByteWriter();
const reader = new ByteReader();

/**
 * Pieces of one series in the order of their lines, as a blob: format (1 byte), how many, then of each in varints its line
 * (from the one before), start (from the one before, doubled, one more where it lies before), step, count, length and
 * step of lines. A view that the next call makes void.
 */
export function encodeOriginPieces(pieces: readonly OriginPiece[]): Uint8Array {
  writer.reset();
  writer.byte(format);
  writer.varint(pieces.length);
  let lineBefore = 0;
  let startBeforeMs = 0;
  for (const { startMs, stepMs, count, lengthMs, line, lineStep } of pieces) {
    const laterMs = startMs - startBeforeMs;
    writer.varint(line - lineBefore);
    writer.varint(laterMs < 0 ? -2 * laterMs - 1 : 2 * laterMs);
    writer.varint(stepMs);
    writer.varint(count);
    writer.varint(lengthMs);
    writer.varint(lineStep);
    lineBefore = line;
    startBeforeMs = startMs;
  }
  return writer.bytes.subarray(0, writer.position);
}

/** Throws CorruptSegmentError for what no encoder wrote. */
export function decodeOriginPieces(blob: Uint8Array): OriginPiece[] {
  reader.open(blob);
  const found = reader.byte();
  if (found !== format) {
    throw new CorruptSegmentError(`lines of format ${found}`);
  }
  const pieces: OriginPiece[] = [];
  let line = 0;
  let startMs = 0;
  for (let left = reader.countTo(reader.left); left > 0; left--) {
    line += reader.varint();
    const later = reader.varint();
    startMs += later % 2 === 1 ? -(later + 1) / 2 : later / 2;
    const [stepMs, count, lengthMs] = [reader.varint(), reader.varint(), reader.varint()];
    pieces.push({ startMs, stepMs, count, lengthMs, line, lineStep: reader.varint() });
  }
  return pieces;
}
