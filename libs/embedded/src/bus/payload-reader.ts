import { closeSync, openSync, readSync } from 'node:fs';
import { FatalError } from '@meterflow/stage';
import { payloadAlignment, segmentFile } from './topic-file.ts';

/** A message's row. */
export interface MessageRow {
  readonly seq: number;
  readonly publishedAtMs: number;
  readonly attributes: string;
  readonly bytes: number;
  /** Null where it lies in a segment. */
  readonly payload: Uint8Array | null;
  readonly segment: number;
  readonly offset: number;
}

/** Segments of which the file is kept open. */
const openSegmentsMax = 4;

/** Reads payloads from a topic's segments: those that lie side by side at once. */
export class PayloadReader {
  readonly #topicFile: string;
  readonly #open = new Map<number, number>();

  constructor(topicFile: string) {
    this.#topicFile = topicFile;
  }

  /** The payload of each row, in their order. */
  payloads(rows: readonly MessageRow[]): Uint8Array[] {
    const payloads: Uint8Array[] = [];
    for (let index = 0; index < rows.length;) {
      const run = this.#runFrom(rows, index);
      payloads.push(...this.#read(rows.slice(index, index + run)));
      index += run;
    }
    return payloads;
  }

  close(): void {
    this.#open.forEach((fd) => {
      closeSync(fd);
    });
    this.#open.clear();
  }

  /** How many rows from `index` on lie in one segment, one after the other. */
  #runFrom(rows: readonly MessageRow[], index: number): number {
    const next = rows.findIndex((row, at) => at > index && !follows(rows[at - 1], row));
    return (next === -1 ? rows.length : next) - index;
  }

  #read(rows: readonly MessageRow[]): Uint8Array[] {
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) {
      return [];
    }
    if (first.payload !== null) {
      return [first.payload];
    }
    // Not zeroed first: it is filled to its end or not given out.
    const bytes = Buffer.allocUnsafeSlow(last.offset + last.bytes - first.offset);
    this.#fill(bytes, first.segment, first.offset);
    return rows.map(({ offset, bytes: length }) => new Uint8Array(bytes.buffer, offset - first.offset, length));
  }

  #fill(bytes: Uint8Array, segment: number, offset: number): void {
    const fd = this.#fileOf(segment);
    for (let filled = 0; filled < bytes.length;) {
      const read = readSync(fd, bytes, filled, bytes.length - filled, offset + filled);
      if (read === 0) {
        const file = segmentFile(this.#topicFile, segment);
        throw new FatalError(`${file} is damaged: it ends too early. Restore it from a backup; it was left as it is.`);
      }
      filled += read;
    }
  }

  #fileOf(segment: number): number {
    const known = this.#open.get(segment);
    if (known !== undefined) {
      return known;
    }
    for (const [oldest, fd] of this.#open) {
      if (this.#open.size < openSegmentsMax) {
        break;
      }
      closeSync(fd);
      this.#open.delete(oldest);
    }
    const fd = openSync(segmentFile(this.#topicFile, segment), 'r');
    this.#open.set(segment, fd);
    return fd;
  }
}

function follows(before: MessageRow | undefined, row: MessageRow): boolean {
  if (before?.payload !== null || row.payload !== null || before.segment !== row.segment) {
    return false;
  }
  const gapBytes = row.offset - before.offset - before.bytes;
  return gapBytes >= 0 && gapBytes < payloadAlignment;
}
