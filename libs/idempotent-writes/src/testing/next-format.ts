import { ByteWriter } from '../byte-writer.ts';

/** A segment or sheet as a build of the next format would have written it, with something added. */
export function ofNextFormat(blob: Uint8Array, added: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writer.byte((blob[0] as number) + 1);
  writer.varint(added.length);
  writer.copy(added);
  writer.copy(blob.subarray(1));
  return writer.bytes.subarray(0, writer.position);
}
