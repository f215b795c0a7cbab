/**
 * Of a ReadingBatch (proto/meterflow/v1/readings.proto), what is not the sender's to say: tenant, layer, source_id,
 * accepted_at_ms, activation, cause. A sender may leave them out; what it says there is not even read.
 */
const ourFields: readonly number[] = [2, 3, 4, 5, 6, 7];

/** tenant "t", layer raw, source_id "s": what a batch must have to be decoded, replaced once it is. */
const standIn = Uint8Array.of(0x12, 1, 0x74, 0x18, 1, 0x22, 1, 0x73);

/**
 * The message with a stand-in for those fields. Walks the top level alone; from where it can't be walked on, the rest
 * stays as it is, so that the decoder says what is wrong with it.
 */
export function withOurEnvelope(message: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = [standIn];
  let position = 0;
  while (position < message.length) {
    const end = fieldEnd(message, position);
    if (end === undefined) {
      kept.push(message.subarray(position));
      break;
    }
    if (!ourFields.includes((message[position] as number) >> 3) || (message[position] as number) >= 0x80) {
      kept.push(message.subarray(position, end));
    }
    position = end;
  }
  const whole = new Uint8Array(kept.reduce((bytes, piece) => bytes + piece.length, 0));
  let at = 0;
  for (const piece of kept) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Where the field that begins at `start` ends; undefined where it is no field or is cut. */
function fieldEnd(message: Uint8Array, start: number): number | undefined {
  const tag = varint(message, start);
  if (tag === undefined) {
    return undefined;
  }
  const end = contentEnd(message, tag);
  return end !== undefined && end <= message.length ? end : undefined;
}

function contentEnd(message: Uint8Array, tag: { readonly value: number; readonly end: number }): number | undefined {
  const wireTypes = { varint: 0, fixed64: 1, block: 2, fixed32: 5 };
  switch (tag.value % 8) {
    case wireTypes.varint:
      return varint(message, tag.end)?.end;
    case wireTypes.fixed64:
      return tag.end + 8;
    case wireTypes.fixed32:
      return tag.end + 4;
    case wireTypes.block: {
      const length = varint(message, tag.end);
      return length === undefined ? undefined : length.end + length.value;
    }
    default:
      return undefined;
  }
}

const varintBytesMax = 10;

function varint(message: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < varintBytesMax; index++) {
    const byte = message[start + index];
    if (byte === undefined) {
      return undefined;
    }
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      return { value, end: start + index + 1 };
    }
  }
  return undefined;
}
