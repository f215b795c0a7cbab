import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { UnreadableSourceError } from '@meterflow/formats';
import { through } from './through.ts';
import { zstdFrames } from './zstd-frames.ts';

/** How content is packed, told by its first bytes. */
export type Packing = 'plain' | 'gzip' | 'zstd';

/** RFC 1952 and RFC 8878: the first bytes of each. */
export function packingOf(beginning: Uint8Array): Packing {
  if (beginning[0] === 0x1f && beginning[1] === 0x8b) {
    return 'gzip';
  }
  const zstd = beginning[0] === 0x28 && beginning[1] === 0xb5 && beginning[2] === 0x2f && beginning[3] === 0xfd;
  return zstd ? 'zstd' : 'plain';
}

const pieceBytes = 1024 * 1024;

/**
 * Content in pieces, unpacked; needs the same memory however much it is. Iterating throws {@link UnreadableSourceError}
 * where the packed bytes are damaged, end too early, or are packed once more.
 */
export async function* unpacked(bytes: AsyncIterable<Uint8Array>, packing: Packing): AsyncGenerator<Uint8Array> {
  if (packing === 'plain') {
    yield* bytes;
    return;
  }
  const pieces =
    packing === 'gzip' ? through(bytes, createGunzip({ chunkSize: pieceBytes })) : zstdFrames(bytes, pieceBytes);
  let isFirst = true;
  try {
    for await (const piece of pieces) {
      if (isFirst && packingOf(piece) !== 'plain') {
        const reason = `the ${packing} content is packed once more, with ${packingOf(piece)}: pack it once`;
        throw new UnreadableSourceError('packed-twice', reason);
      }
      isFirst = false;
      yield piece;
    }
  } catch (error) {
    throw isDamage(error)
      ? new UnreadableSourceError('damaged-content', `the ${packing} content is damaged or cut: ${error.message}`, {
          cause: error,
        })
      : error;
  }
}

function isDamage(error: unknown): error is Error {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD)/.test(code);
}

export interface FileFacts {
  readonly bytes: number;
  readonly packing: Packing;
  /** SHA-256 of the file as it is, hexadecimal. */
  readonly contentHash: string;
}

/**
 * A file's content in pieces, unpacked: the bytes that its facts were made of and none that were appended since, so that
 * each pass reads the same.
 */
export function fileContent(
  path: string,
  { bytes, packing }: Pick<FileFacts, 'bytes' | 'packing'>,
  onRead?: (bytes: number) => void,
): AsyncIterable<Uint8Array> {
  return unpacked(onRead === undefined ? fileBytes(path, bytes) : counted(fileBytes(path, bytes), onRead), packing);
}

/** Tells with each piece how many bytes have come so far. */
async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    onRead(bytes);
    yield piece;
  }
}

const beginningBytes = 65_536;

/** The first bytes of some content: enough for a header, however small its pieces are. */
export async function beginningOf(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of content) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= beginningBytes) {
      break;
    }
  }
  return Buffer.concat(pieces).subarray(0, beginningBytes);
}

/**
 * Reads the file, or so many first bytes of it, once: its acceptance can then name its content before anything of it is
 * published.
 */
export async function fileFacts(path: string, bytesMax = Infinity): Promise<FileFacts> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(pieceBytes);
  const handle = await open(path, openFlags);
  let packing: Packing | undefined;
  let bytes = 0;
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(pieceBytes, bytesMax - bytes), null);
      if (bytesRead === 0) {
        return { bytes, packing: packing ?? 'plain', contentHash: hash.digest('hex') };
      }
      const piece = buffer.subarray(0, bytesRead);
      packing ??= packingOf(piece);
      hash.update(piece);
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** Follows no link that was put in the file's place, and never waits for a writer, as opening a pipe would. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function* fileBytes(path: string, bytesMax = Infinity): AsyncGenerator<Uint8Array> {
  if (bytesMax === 0) {
    return;
  }
  const handle = await open(path, openFlags);
  yield* createReadStream('', {
    fd: handle,
    highWaterMark: pieceBytes,
    end: bytesMax - 1,
  }) as AsyncIterable<Uint8Array>;
}
