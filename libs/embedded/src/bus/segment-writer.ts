import { closeSync, fdatasync, fsyncSync, openSync, writev } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { payloadAlignment, segmentFile } from './topic-file.ts';

const writeAll = promisify(writev) as unknown as (
  fd: number,
  buffers: readonly Uint8Array[],
  position: number,
) => Promise<number | { readonly bytesWritten: number }>;
const sync = promisify(fdatasync);

/** A segment that has grown to this takes no more; trimming frees whole segments. */
const segmentBytesMax = 16 * 1024 * 1024;
const padding = new Uint8Array(payloadAlignment);

/** Where a payload lies. */
export interface Placement {
  readonly segment: number;
  readonly offset: number;
}

/** One file that one process appends payloads to. What was written but has no row is overwritten or never read. */
export class SegmentWriter {
  readonly id: number;
  readonly #fd: number;
  #endBytes = 0;

  constructor(topicFile: string, id: number) {
    const file = segmentFile(topicFile, id);
    this.id = id;
    this.#fd = openSync(file, 'w', 0o600);
    syncFolder(dirname(file));
  }

  get full(): boolean {
    return this.#endBytes >= segmentBytesMax;
  }

  /** Resolves when the payloads are on the disk. After a rejection the segment takes no more. One call at a time. */
  async append(payloads: readonly Uint8Array[]): Promise<Placement[]> {
    const placements: Placement[] = [];
    const buffers: Uint8Array[] = [];
    let offset = this.#endBytes;
    for (const payload of payloads) {
      placements.push({ segment: this.id, offset });
      const padBytes = -payload.length & (payloadAlignment - 1);
      buffers.push(payload);
      if (padBytes > 0) {
        buffers.push(padding.subarray(0, padBytes));
      }
      offset += payload.length + padBytes;
    }
    await this.#write(buffers, offset - this.#endBytes);
    await sync(this.#fd);
    this.#endBytes = offset;
    return placements;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** A nearly full disk takes a part; the next attempt then says why. */
  async #write(buffers: readonly Uint8Array[], bytes: number): Promise<void> {
    const result = await writeAll(this.#fd, buffers, this.#endBytes);
    let written = typeof result === 'number' ? result : result.bytesWritten;
    const rest = written < bytes ? Buffer.concat(buffers) : undefined;
    while (rest !== undefined && written < bytes) {
      const more = await writeAll(this.#fd, [rest.subarray(written)], this.#endBytes + written);
      written += typeof more === 'number' ? more : more.bytesWritten;
    }
  }
}

/** A new file's name is on the disk only when its folder is. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
