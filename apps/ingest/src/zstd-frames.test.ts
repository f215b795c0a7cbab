import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { zstdFrames } from './zstd-frames.ts';

async function unpacked(packed: Buffer, pieceBytes = 65_536): Promise<Buffer> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < packed.length; at += pieceBytes) {
      yield await Promise.resolve(packed.subarray(at, at + pieceBytes));
    }
  }
  const parts: Uint8Array[] = [];
  for await (const part of zstdFrames(pieces(), 65_536)) {
    parts.push(part.slice());
  }
  return Buffer.concat(parts);
}

test('all frames of a content are unpacked, however it comes in pieces', async () => {
  const packed = Buffer.concat(['one,', 'two,', '', 'three'].map((text) => zstdCompressSync(text)));
  for (const pieceBytes of [1, 7, 20, 65_536]) {
    expect((await unpacked(packed, pieceBytes)).toString()).toBe('one,two,three');
  }
});

test('a flood of empty frames is refused instead of unpacked', async () => {
  const frame = zstdCompressSync('');
  await expect(unpacked(Buffer.concat(Array.from({ length: 5_000 }, () => frame)))).rejects.toThrow('pack it in one');
  expect((await unpacked(Buffer.concat(Array.from({ length: 200 }, () => frame)))).length).toBe(0);
});
