import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Receipt } from '@meterflow/receipts';

/** The peers' own input: every 50th reading is sent again 1,000 lines later. */
const repeatEvery = 50;
const repeatAfterLines = 1_000;

export interface RepeatedInput {
  readonly readings: number;
  readonly lines: number;
  readonly copies: number;
}

/**
 * Writes `copies` times the readings of a gzipped CSV file to `target`, each copy but copy 0 under new meter names, with every 50th
 * reading sent again 1,000 lines later; of each copy at most its first `readingsMax`, and those of its first `days`.
 * Returns how many distinct readings and how many lines it holds.
 */
export async function writeRepeatedInput(
  source: string,
  target: string,
  {
    copies,
    firstCopy = 0,
    readingsMax = Infinity,
    days = Infinity,
  }: { readonly copies: number; readonly firstCopy?: number; readonly readingsMax?: number; readonly days?: number },
): Promise<RepeatedInput> {
  const counts = { readings: 0, lines: 0, copies };
  await pipeline(
    () => repeatedLines(source, { from: firstCopy, to: firstCopy + copies, readingsMax, days }, counts),
    createWriteStream(target, { highWaterMark: 1 << 20 }),
  );
  return counts;
}

/** How a receipt differs from what the input must become: each reading stored once, each repeat a duplicate. */
export function countProblems(receipt: Receipt, { readings, lines }: RepeatedInput): string[] {
  const told = [
    ['received', receipt.received, lines],
    ['inserted', receipt.inserted, readings],
    ['duplicates', receipt.duplicates, lines - readings],
    ['dead', receipt.batchesDead, 0],
  ] as const;
  return told
    .filter(([, found, expected]) => found !== expected)
    .map(([name, found, expected]) => `${name}: ${found}, not ${expected}`);
}

async function* repeatedLines(
  source: string,
  { from, to, readingsMax, days }: { from: number; to: number; readingsMax: number; days: number },
  counts: { readings: number; lines: number },
): AsyncGenerator<string> {
  const kept = new KeptLines(source, { linesMax: readingsMax + 1, days });
  for (let copy = from; copy < to; copy++) {
    const repeats: { readonly afterLine: number; readonly line: string }[] = [];
    let piece = '';
    let count = -1;
    for await (const original of kept.all()) {
      count += 1;
      if (count === 0) {
        piece = copy === from ? `${original}\n` : '';
        continue;
      }
      const line = copy === 0 ? original : `${copy}-${original}`;
      piece += `${line}\n`;
      if (count % repeatEvery === 0) {
        repeats.push({ afterLine: count + repeatAfterLines, line });
      }
      if (repeats[0]?.afterLine === count) {
        piece += `${repeats.shift()?.line ?? ''}\n`;
      }
      if (piece.length > 1 << 20) {
        yield piece;
        piece = '';
      }
    }
    yield piece + repeats.map(({ line }) => `${line}\n`).join('');
    counts.readings += count;
    counts.lines += count + Math.floor(count / repeatEvery);
  }
}

interface Selection {
  readonly linesMax: number;
  readonly days: number;
}

/** Lines that are few of the file's are kept when they are first read: a hundred copies unpack it once. */
class KeptLines {
  readonly #source: string;
  readonly #selection: Selection;
  #lines: readonly string[] | undefined;

  constructor(source: string, selection: Selection) {
    this.#source = source;
    this.#selection = selection;
  }

  async *all(): AsyncGenerator<string> {
    if (this.#lines !== undefined) {
      yield* this.#lines;
      return;
    }
    const isKept = this.#selection.days !== Infinity;
    const lines: string[] = [];
    for await (const line of linesOf(this.#source, this.#selection)) {
      if (isKept) {
        lines.push(line);
      }
      yield line;
    }
    this.#lines = isKept ? lines : undefined;
  }
}

/** The header and what follows it. Its first reading starts before all others. */
async function* linesOf(source: string, { linesMax, days }: Selection): AsyncGenerator<string> {
  let lines = 0;
  let untilStamp: string | undefined;
  for await (const line of createInterface({ input: createReadStream(source).pipe(createGunzip()) })) {
    if (lines === linesMax) {
      return;
    }
    if (lines > 0 && days !== Infinity) {
      const start = line.split(',', 3)[2] as string;
      untilStamp ??= new Date(Date.parse(start) + days * dayMs).toISOString();
      if (start >= untilStamp) {
        continue;
      }
    }
    lines += 1;
    yield line;
  }
}

const dayMs = 86_400_000;
