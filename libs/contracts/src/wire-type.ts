/** The protobuf wire types in use. Groups (3 and 4) are refused: nothing ever sent them, and they nest without a length. */
export const wireType = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;
export type WireType = (typeof wireType)[keyof typeof wireType];

/** Columns travel as they lie in memory; a typed array over them is right on little-endian machines alone. */
if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
  throw new Error('meterflow needs a little-endian machine');
}
