import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';

/** How content is packed, told by its first bytes. */
export const packings = ['plain', 'gzip', 'zstd'] as const;
export type Packing = (typeof packings)[number];

/** RFC 1952 and RFC 8878: the first bytes of each. */
export function packingOf(beginning: Uint8Array): Packing {
  if (beginning[0] === 0x1f && beginning[1] === 0x8b) {
    return 'gzip';
  }
  const zstd = beginning[0] === 0x28 && beginning[1] === 0xb5 && beginning[2] === 0x2f && beginning[3] === 0xfd;
  return zstd ? 'zstd' : 'plain';
}

const pieceBytes = 1024 * 1024;

/** A file's content in pieces, unpacked. Needs the same memory whatever the file's size. */
export function fileContent(path: string, packing: Packing): AsyncIterable<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: pieceBytes });
  const unpacked =
    packing === 'plain'
      ? file
      : file.pipe(packing === 'gzip' ? createGunzip({ chunkSize: pieceBytes }) : createZstdDecompress({ chunkSize: pieceBytes }));
  file.on('error', (error) => unpacked.destroy(error));
  return unpacked as AsyncIterable<Uint8Array>;
}

/** The first bytes of a file's content, unpacked: enough for a header. */
export async function beginningOf(path: string, packing: Packing): Promise<Uint8Array> {
  for await (const piece of fileContent(path, packing)) {
    return piece.subarray(0, 65_536);
  }
  return new Uint8Array(0);
}

export interface FileFacts {
  readonly bytes: number;
  readonly packing: Packing;
  /** SHA-256 of the file as it is, hexadecimal. */
  readonly contentHash: string;
}

/** Reads the file once, so that its acceptance can name its content before anything of it is published. */
export async function fileFacts(path: string, onProgress?: (bytes: number) => void): Promise<FileFacts> {
  const handle = await open(path);
  try {
    const beginning = new Uint8Array(4);
    await handle.read(beginning, 0, 4, 0);
    const hash = createHash('sha256');
    let bytes = 0;
    await pipeline(createReadStream(path, { highWaterMark: pieceBytes }), async (pieces: AsyncIterable<Uint8Array>) => {
      for await (const piece of pieces) {
        hash.update(piece);
        bytes += piece.length;
        onProgress?.(bytes);
      }
    });
    return { bytes, packing: packingOf(beginning), contentHash: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}
