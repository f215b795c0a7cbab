/**
 * The two bytes that a key begins with, so that keys which follow each other (meters of one maker, days of one source)
 * lie far apart. FNV-1a over the bytes, then mixed: meters that differ in a digit alone have nothing in common.
 */
export function keyHash(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) {
    hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & 0xffff;
}

/** Key: hash of the parts, the parts, each closed by a zero byte, which no name holds. */
export function hashedKey(...parts: readonly string[]): Buffer {
  const key = Buffer.from(`\0\0${parts.map((part) => `${part}\0`).join('')}`);
  key.writeUInt16BE(keyHash(key, 2, key.length));
  return key;
}

/** All keys that begin with this one; it ends in a zero byte. */
export function under(prefix: Buffer): { readonly from: Buffer; readonly to: Buffer } {
  const to = Buffer.from(prefix);
  to[to.length - 1] = 1;
  return { from: prefix, to };
}
