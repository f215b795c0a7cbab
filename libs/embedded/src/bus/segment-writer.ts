import { closeSync, fdatasync, fsyncSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { payloadAlignment, segmentFile } from './topic-file.ts';

const sync = promisify(fdatasync);

/**
 * One call writes no more: Linux gives a large write large pages, which on a virtual machine are seldom at hand (measured:
 * 40 µs of CPU for 32 KB within a write of 512 KB, 13 µs alone).
 */
const writeBytesMax = 32 * 1024;
/** A segment that has grown to this takes no more; trimming frees whole segments. */
const segmentBytesMax = 16 * 1024 * 1024;

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
    const placements = payloads.map((payload) => {
      const offset = this.#endBytes;
      this.#write(payload, offset);
      this.#endBytes = offset + payload.length + (-payload.length & (payloadAlignment - 1));
      return { segment: this.id, offset };
    });
    await sync(this.#fd);
    return placements;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** A nearly full disk takes a part; the next attempt then says why. */
  #write(payload: Uint8Array, offset: number): void {
    for (let written = 0; written < payload.length;) {
      const bytes = Math.min(writeBytesMax, payload.length - written);
      written += writeSync(this.#fd, payload, written, bytes, offset + written);
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
