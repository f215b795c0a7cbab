/** Writes single protobuf fields by hand, for messages that no encoder would make. */
export function varintBytes(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest >= 0x80n; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
  return Uint8Array.of(...bytes, Number(rest));
}

export function field(number: number, wire: number, ...content: readonly Uint8Array[]): Uint8Array {
  return join(varintBytes(number * 8 + wire), ...content);
}

/** A length-delimited field; `length` may lie. */
export function blockField(number: number, content: Uint8Array, length: number | bigint = content.length): Uint8Array {
  return field(number, 2, varintBytes(length), content);
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
