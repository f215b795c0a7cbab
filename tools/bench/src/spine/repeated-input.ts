import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

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
 * reading sent again 1,000 lines later. Returns how many distinct readings and how many lines it holds.
 */
export async function writeRepeatedInput(
  source: string,
  target: string,
  { copies, firstCopy = 0 }: { readonly copies: number; readonly firstCopy?: number },
): Promise<RepeatedInput> {
  const counts = { readings: 0, lines: 0, copies };
  await pipeline(
    () => repeatedLines(source, { from: firstCopy, to: firstCopy + copies }, counts),
    createWriteStream(target, { highWaterMark: 1 << 20 }),
  );
  return counts;
}

async function* repeatedLines(
  source: string,
  { from, to }: { from: number; to: number },
  counts: { readings: number; lines: number },
): AsyncGenerator<string> {
  for (let copy = from; copy < to; copy++) {
    const repeats: { readonly afterLine: number; readonly line: string }[] = [];
    let piece = '';
    let count = -1;
    for await (const original of createInterface({ input: createReadStream(source).pipe(createGunzip()) })) {
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
