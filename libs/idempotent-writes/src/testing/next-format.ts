import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';

/** A segment or sheet as a build of the next format would have written it, with something added behind what is there. */
export function ofNextFormat(blob: Uint8Array, added: Uint8Array): Uint8Array {
  const reader = new ByteReader();
  reader.open(blob);
  const format = reader.byte();
  const length = format === 1 ? 0 : reader.varint();
  const from = reader.skip(length);
  const writer = new ByteWriter();
  writer.byte(format + 1);
  writer.varint(length + added.length);
  writer.copy(blob.subarray(from, from + length));
  writer.copy(added);
  writer.copy(blob.subarray(from + length));
  return writer.bytes.subarray(0, writer.position);
}
