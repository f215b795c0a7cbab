import type { SQLOutputValue } from 'node:sqlite';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Reject } from '@meterflow/receipts';

/** Fewer lines are kept as they are: packing them costs more than it saves. */
const packedLinesMin = 16;
const params = { [constants.ZSTD_c_compressionLevel]: 1 };

/** Lines as a column holds them: rejects are much alike, so that many take little room. */
export function packedLines(lines: readonly Reject[]): string | Uint8Array {
  const text = JSON.stringify(lines);
  return lines.length < packedLinesMin ? text : zstdCompressSync(text, { params });
}

export function unpackedLines(column: SQLOutputValue | undefined): readonly Reject[] {
  const text = column instanceof Uint8Array ? zstdDecompressSync(column).toString() : String(column);
  return JSON.parse(text) as readonly Reject[];
}
